//! The bindings that wit-bindgen generates from `wit/`, which the rest of the crate wraps.
//!
//! All powers are declared here. A component imports only the functions that its code calls, so a
//! power that is declared and not used leaves no trace in it.

wit_bindgen::generate!({
    path: "../wit",
    inline: "
        package pipeline:guest-sdk;

        world sdk {
            include pipeline:api/imports@0.1.0;
            import pipeline:api/machine@0.1.0;
            import pipeline:api/sources@0.1.0;
            import pipeline:api/effects@0.1.0;
            import pipeline:api/secret-access@0.1.0;
            import pipeline:api/report@0.1.0;
        }
    ",
    with: { "pipeline:api/errors@0.1.0": crate::error::record },
    generate_all,
    generate_unused_types: true,
});

pub(crate) use pipeline::api;
