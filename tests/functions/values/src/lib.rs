//! Stages that return their arguments: every type of an interface, in both directions.

use guest_sdk::prelude::*;

/// Returns its arguments.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// How much a message matters.
    #[derive(Enum)]
    pub enum Level {
        /// The message does not matter.
        Low,
        /// The message matters a lot.
        VeryHigh,
    }

    /// A place on a map.
    #[derive(Record)]
    pub struct Point {
        /// To the east.
        pub x: i32,
        /// To the north.
        pub y: i32,
    }

    /// Values in values.
    #[derive(Record)]
    pub struct Nested {
        /// A name that WIT reserves.
        pub r#type: String,
        /// Records in a list.
        pub points: Vec<Point>,
        /// An enum that may be left out.
        pub level: Option<Level>,
        /// A tuple in an option in a list.
        pub pairs: Vec<Option<(u8, String)>>,
    }

    /// A form, or none.
    #[derive(Variant)]
    pub enum Shape {
        /// Without a value.
        Nothing,
        /// With a number.
        Circle(f64),
        /// With a record.
        Square(Point),
        /// With a list of records.
        Polygon(Vec<Point>),
    }

    /// Returns a text.
    pub fn string(value: String) -> String {
        value
    }

    /// Returns a text that it only borrows.
    pub fn text(value: &str) -> String {
        value.to_owned()
    }

    /// Returns a truth value.
    pub fn boolean(value: bool) -> bool {
        value
    }

    /// Returns a character.
    pub fn character(value: char) -> char {
        value
    }

    /// Returns the numbers without sign.
    pub fn unsigned(a: u8, b: u16, c: u32, d: u64) -> (u8, u16, u32, u64) {
        (a, b, c, d)
    }

    /// Returns the numbers with sign.
    pub fn signed(a: i8, b: i16, c: i32, d: i64) -> (i8, i16, i32, i64) {
        (a, b, c, d)
    }

    /// Returns the numbers with a fraction.
    pub fn floats(a: f32, b: f64) -> (f32, f64) {
        (a, b)
    }

    /// Returns a case; its name is a word that both languages reserve.
    pub fn r#enum(value: Level) -> Level {
        value
    }

    /// Returns an optional text.
    pub fn optional(value: Option<String>) -> Option<String> {
        value
    }

    /// Says which of the options are there.
    pub fn options(text: Option<&str>, number: Option<u32>, level: Option<Level>, list: Option<Vec<u8>>) -> String {
        let (number, list) = (number.is_some(), list.map(|list| list.len()));
        let level = level.map(|level| matches!(level, Level::VeryHigh));
        format!("{text:?} {number} {level:?} {list:?}")
    }

    /// Returns a list of texts.
    pub fn list(values: Vec<String>) -> Vec<String> {
        values
    }

    /// Returns a list of bytes.
    pub fn bytes(values: &[u8]) -> Vec<u8> {
        values.to_vec()
    }

    /// Returns a record.
    pub fn record(value: Point) -> Point {
        value
    }

    /// Returns a tuple.
    pub fn tuple(value: (String, u32, bool)) -> (String, u32, bool) {
        value
    }

    /// Returns values in values.
    pub fn nest(value: Nested) -> Nested {
        value
    }

    /// Returns a variant.
    pub fn variant(value: Shape) -> Shape {
        value
    }

    /// Returns no value.
    pub fn nothing() {}

    /// Returns nothing, or fails.
    pub fn nothing_or_error(
        /// Says what happens.
        fails: bool,
    ) -> Result<()> {
        ensure!(!fails, "it was told to fail");
        Ok(())
    }

    /// Fails with an error that has everything.
    pub fn rich_error() -> Result<String> {
        Err(Error::new("no `a.txt`").with_code(code::NOT_FOUND).with_attribute("path", "a.txt").with_attribute("n", 7))
    }

    /// Fails with an error of the standard library.
    pub fn parse(number: &str) -> std::result::Result<u32, std::num::ParseIntError> {
        number.trim().parse()
    }

    /// Returns a directory of which it did not look at anything.
    pub fn directory(value: Directory) -> Directory {
        value
    }

    /// Returns the contents of a file.
    pub fn contents(value: &File) -> Result<String> {
        value.contents()
    }

    /// Returns a container.
    pub fn container(value: Container) -> Container {
        value
    }

    /// Returns files made of names and contents.
    pub fn files(values: Vec<(String, String)>) -> Vec<File> {
        values.into_iter().map(|(name, contents)| File::new(name, contents)).collect()
    }

    /// Returns the name of a secret.
    pub fn secret_name(value: &Secret) -> String {
        value.name()
    }

    /// Returns a container with a working directory.
    pub fn base() -> Container {
        Container::new().with_workdir("/made-by-base")
    }

    /// Returns the working directory of what the stage `base` made, unless the caller gives
    /// something else.
    pub fn fed(base: &Container) -> Result<String> {
        base.workdir()
    }
}
