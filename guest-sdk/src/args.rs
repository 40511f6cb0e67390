//! Words of a command, of any types.

/// Makes a list of words from values of any types that can be printed, each one word
/// as it is: nothing is split, nothing is quoted.
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
