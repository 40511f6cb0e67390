//! Handles: the types of the SDK that stand for resources of the host.
//!
//! Each type wraps the raw type that wit-bindgen generates, and has the three methods by which
//! generated code moves handles. The types of the SDK can therefore replace the raw types in
//! `with:`, and the signature of a stage needs no conversion.

/// Declares a handle around a raw resource.
macro_rules! handle {
    ($(#[$attribute:meta])* $name:ident = $raw:path) => {
        $(#[$attribute])*
        pub struct $name(pub(crate) $raw);

        #[doc(hidden)]
        impl $name {
            /// Takes ownership of a handle.
            ///
            /// # Safety
            ///
            /// The handle must be owned by the caller and of this type.
            #[expect(unsafe_code, reason = "the signature that generated code calls")]
            pub unsafe fn from_handle(handle: u32) -> Self {
                // SAFETY: the caller promises what `from_handle` of the raw type requires.
                Self(unsafe { <$raw>::from_handle(handle) })
            }

            /// Gives up ownership of the handle and returns it.
            pub fn take_handle(&self) -> u32 {
                self.0.take_handle()
            }

/// Returns the handle for the time of a call.
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

/// Implements `Clone` for a handle by an expression that returns a second handle to the same
/// object. The API has no function for it, and a function of a dependency keeps the handle that it
/// gets.
macro_rules! duplicate {
    ($name:ident: $this:ident => $copy:expr) => {
        impl Clone for $name {
            /// Returns a second handle to the same object. Nothing is copied.
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

/// Returns the texts as the raw methods need them.
pub(crate) fn strings(texts: impl IntoIterator<Item: AsRef<str>>) -> Vec<String> {
    texts.into_iter().map(|text| text.as_ref().to_owned()).collect()
}
