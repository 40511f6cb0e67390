//! The words of a command, made from values of any types.

/// Makes a list of words from values that implement `Display`. Each value is one word; nothing is
/// split and nothing is quoted.
///
/// ```
/// use guest_sdk::args;
///
/// let jobs = 4;
/// assert_eq!(args!["make", format_args!("-j{jobs}"), "PREFIX=/usr local"], ["make", "-j4", "PREFIX=/usr local"]);
/// ```
#[macro_export]
macro_rules! args {
    ($($word:expr),* $(,)?) => {
        {
            let words: ::std::vec::Vec<::std::string::String> = ::std::vec![$(::std::string::ToString::to_string(&$word)),*];
            words
        }
    };
}
