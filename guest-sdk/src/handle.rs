//! Handles: the types of the SDK that stand for resources of the host.
//!
//! Each wraps the raw type that wit-bindgen generates and has the three methods
//! by which generated code moves handles. So the types of the SDK can take the
//! place of raw ones in `with:`, and a stage's signature needs no conversion.

/// Declares a handle around a raw resource.
macro_rules! handle {
    ($(#[$attribute:meta])* $name:ident = $raw:path) => {
        $(#[$attribute])*
        pub struct $name(pub(crate) $raw);

        #[doc(hidden)]
        impl $name {
            /// Takes over a handle.
            ///
            /// # Safety
            ///
            /// The handle must be owned by the caller and of this type.
            #[expect(unsafe_code, reason = "the signature that generated code calls")]
            pub unsafe fn from_handle(handle: u32) -> Self {
                // SAFETY: the caller's promise is the callee's demand.
                Self(unsafe { <$raw>::from_handle(handle) })
            }

            /// Gives the handle away.
            pub fn take_handle(&self) -> u32 {
                self.0.take_handle()
            }

            /// Lends the handle.
            pub fn handle(&self) -> u32 {
                self.0.handle()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Gives a handle, by an expression, a second one to the same: the API has no function
/// for it, and what a dependency's function takes it keeps.
macro_rules! duplicate {
    ($name:ident: $this:ident => $copy:expr) => {
        impl Clone for $name {
            /// Returns a second handle to the same; nothing is copied.
            fn clone(&self) -> Self {
                let $this = self;
                $copy
            }
        }

        impl From<&$name> for $name {
            fn from(object: &$name) -> Self {
                object.clone()
            }
        }
    };
}

pub(crate) use {duplicate, handle};

/// Returns the texts as the raw methods want them.
pub(crate) fn strings(texts: impl IntoIterator<Item: AsRef<str>>) -> Vec<String> {
    texts.into_iter().map(|text| text.as_ref().to_owned()).collect()
}
