//! Expressions over stages: `STAGE.METHOD(ARGS).METHOD(ARGS)`.
//!
//! An argument is JSON, another expression, or a list of them. Strings may also have single quotes, which need no
//! escapes inside a TOML string in double quotes. White space is allowed between all parts.

use serde_json::{Map, Number, Value};

use super::names::label;
use super::types::{Argument, Expression, ExpressionStep, Position};

/// The limit on the depth of lists, objects and expressions in an argument.
const MAX_DEPTH: usize = 64;

/// A syntax error, with the byte at which it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Parses an expression. `place` returns the position of a byte of the text.
pub(super) fn parse(text: &str, place: &dyn Fn(usize) -> Position) -> Result<Expression, SyntaxError> {
    let mut parser = Parser { text, at: 0, place };
    let mut expression = parser.expression(0)?;
    if parser.peek().is_some() {
        return parser.expected("`.`");
    }
    text.clone_into(&mut expression.text);
    Ok(expression)
}

/// Returns the number of bytes of white space at the start of an expression.
pub(super) fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

const TOO_DEEP: &str = "too many lists in each other";

fn is_part_of_name(character: char) -> bool {
    character == '-' || character == '_' || character.is_alphanumeric()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    place: &'a dyn Fn(usize) -> Position,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space, and returns the next character.
    fn peek(&mut self) -> Option<char> {
        self.at += leading_space(self.rest());
        self.rest().chars().next()
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, message: message.into() })
    }

    /// Makes the error that something else was expected here.
    fn expected<T>(&mut self, what: &str) -> Result<T, SyntaxError> {
        let found = match self.peek() {
            Some(character) => format!("`{character}`"),
            None => "the end".to_owned(),
        };
        self.error(format!("expected {what}, not {found},"))
    }

    fn expect(&mut self, character: char) -> Result<(), SyntaxError> {
        if self.take(character) { Ok(()) } else { self.expected(&format!("`{character}`")) }
    }

    fn take(&mut self, character: char) -> bool {
        let is_here = self.peek() == Some(character);
        self.at += if is_here { character.len_utf8() } else { 0 };
        is_here
    }

    /// Takes the characters for which `is_part` holds.
    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn name(&mut self, what: &str) -> Result<String, SyntaxError> {
        self.peek();
        let start = self.at;
        let word = self.take_while(is_part_of_name);
        if word.is_empty() {
            return self.expected(what);
        }
        label(word).ok_or_else(|| SyntaxError { at: start, message: format!("`{word}` cannot be {what}") })
    }

    /// Takes the name of a stage and the methods behind it.
    fn expression(&mut self, depth: usize) -> Result<Expression, SyntaxError> {
        self.peek();
        let start = self.at;
        let stage = self.name("the name of a stage")?;
        let (mut steps, mut end) = (Vec::new(), self.at);
        while self.take('.') {
            steps.push(self.step(depth)?);
            end = self.at;
        }
        let text = self.text.get(start..end).unwrap_or_default().to_owned();
        Ok(Expression { stage, steps, text, position: (self.place)(start) })
    }

    fn step(&mut self, depth: usize) -> Result<ExpressionStep, SyntaxError> {
        let method = self.name("the name of a method")?;
        self.expect('(')?;
        let args = self.items(')', |parser| parser.argument(depth))?;
        Ok(ExpressionStep { method, args })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, SyntaxError> {
        match self.peek() {
            Some(character) if depth == MAX_DEPTH && (character == '[' || character.is_alphabetic()) => {
                self.error(TOO_DEEP)
            }
            Some('[') => {
                self.take('[');
                Ok(Argument::list(self.items(']', |parser| parser.argument(depth + 1))?))
            }
            Some(character) if character.is_alphabetic() => self.word(depth + 1),
            _ => self.value(depth).map(Argument::Literal),
        }
    }

    /// Takes items that are separated by commas, up to the character that ends the list.
    fn items<T>(
        &mut self,
        end: char,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = Vec::new();
        while !self.take(end) {
            if !items.is_empty() && !self.take(',') {
                return self.expected(&format!("`,` or `{end}`"));
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn value(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        match self.peek() {
            Some('[' | '{') if depth == MAX_DEPTH => self.error(TOO_DEEP),
            Some('[') => {
                self.take('[');
                Ok(Value::Array(self.items(']', |parser| parser.value(depth + 1))?))
            }
            Some('{') => {
                self.take('{');
                let fields = self.items('}', |parser| {
                    let name = parser.string()?;
                    parser.expect(':')?;
                    Ok((name, parser.value(depth + 1)?))
                })?;
                Ok(Value::Object(Map::from_iter(fields)))
            }
            Some('"' | '\'') => self.string().map(Value::String),
            Some(character) if character.is_ascii_digit() || character == '-' => self.number().map(Value::Number),
            Some(character) if character.is_alphabetic() => self.keyword(),
            _ => self.expected("an argument"),
        }
    }

    fn number(&mut self) -> Result<Number, SyntaxError> {
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let number = serde_json::from_str(text);
        number.map_err(|_| SyntaxError { at: start, message: format!("`{text}` is not a number") })
    }

    /// Takes a word without quotes: a value, or the expression that begins with it.
    fn word(&mut self, depth: usize) -> Result<Argument, SyntaxError> {
        let start = self.at;
        if let Ok(value) = self.keyword() {
            return Ok(Argument::Literal(value));
        }
        self.at = start;
        self.expression(depth).map(Argument::From)
    }

    fn keyword(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        match self.take_while(is_part_of_name) {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            word => Err(SyntaxError { at: start, message: format!("`{word}` is no value: strings have quotes,") }),
        }
    }

    /// Takes a string. The escapes are those of JSON, and `\'`.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let quote = match self.peek() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return self.expected("a string"),
        };
        let start = self.at;
        self.take(quote);
        // The string is rewritten as JSON, with double quotes.
        let mut json = String::from('"');
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at += at + quote.len_utf8();
                    json.push('"');
                    let bad = |_| SyntaxError { at: start, message: "a string with a wrong escape".to_owned() };
                    return serde_json::from_str(&json).map_err(bad);
                }
                '\\' => match characters.next() {
                    Some((_, '\'')) => json.push('\''),
                    Some((_, escaped)) => json.extend(['\\', escaped]),
                    None => {}
                },
                '"' => json.push_str("\\\""),
                _ => json.push(character),
            }
        }
        Err(SyntaxError { at: start, message: "a string without an end".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn parsed(text: &str) -> Result<Expression, SyntaxError> {
        parse(text, &|at| Position { line: 1, column: at })
    }

    fn shown(expression: &Expression) -> String {
        expression.steps.iter().fold(expression.stage.clone(), |before, step| {
            let args: Vec<String> = step.args.iter().map(shown_argument).collect();
            format!("{before} .{}({})", step.method, args.join("; "))
        })
    }

    fn shown_argument(argument: &Argument) -> String {
        match argument {
            Argument::Literal(value) => value.to_string(),
            Argument::From(inner) => format!("<{} at {}: `{}`>", shown(inner), inner.position.column, inner.text),
            Argument::List(items) => format!("[{}]", items.iter().map(shown_argument).collect::<Vec<_>>().join(", ")),
        }
    }

    fn check(text: &str, expect: &Expect) {
        let shown = match parsed(text) {
            Ok(expression) => shown(&expression),
            Err(error) => format!("{text}\n{}^ {}", " ".repeat(error.at), error.message),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn a_stage_and_any_number_of_methods() {
        check("build", &expect!["build"]);
        check("build.file(\"app\")", &expect![[r#"build .file("app")"#]]);
        check(" linter . with_level( 3 ) .check() ", &expect!["linter .with-level(3) .check()"]);
    }

    #[test]
    fn arguments_are_json_and_strings_may_have_single_quotes() {
        check("a.b('x', \"y\", -1.5e3, true, null)", &expect![[r#"a .b("x"; "y"; -1500.0; true; null)"#]]);
        check(
            "a.b(['x', []], {'k': {\"l\": 18446744073709551615}})",
            &expect![[r#"a .b(["x",[]]; {"k":{"l":18446744073709551615}})"#]],
        );
        check(r#"a.b('it\'s "so"', "\u00e4\n", 'a)b')"#, &expect![[r#"a .b("it's \"so\""; "ä\n"; "a)b")"#]]);
    }

    #[test]
    fn arguments_are_other_stages_and_their_parts() {
        check(
            "archive.with-file('NOTES.md', notes)",
            &expect![[r#"archive .with-file("NOTES.md"; <notes at 30: `notes`>)"#]],
        );
        check(
            "a.b( build . file('x') , [c, 'd', [e.f(true)]], true-ly)",
            &expect![[
                r#"a .b(<build .file("x") at 5: `build . file('x')`>; [<c at 26: `c`>, "d", [<e .f(true) at 35: `e.f(true)`>]]; <true-ly at 48: `true-ly`>)"#
            ]],
        );
    }

    #[test]
    fn what_cannot_be_read_has_a_place() {
        check(
            "",
            &expect![[r#"

            ^ expected the name of a stage, not the end,"#]],
        );
        check(
            "build.",
            &expect![[r#"
            build.
                  ^ expected the name of a method, not the end,"#]],
        );
        check(
            "build.file",
            &expect![[r#"
            build.file
                      ^ expected `(`, not the end,"#]],
        );
        check(
            "build file",
            &expect![[r#"
            build file
                  ^ expected `.`, not `f`,"#]],
        );
        check(
            "build.file({'x': app})",
            &expect![[r#"
            build.file({'x': app})
                             ^ `app` is no value: strings have quotes,"#]],
        );
        check(
            "build.file('app'",
            &expect![[r#"
            build.file('app'
                            ^ expected `,` or `)`, not the end,"#]],
        );
        check(
            "build.file('app)",
            &expect![[r#"
            build.file('app)
                       ^ a string without an end"#]],
        );
        check(
            "build.file('a' 'b')",
            &expect![[r#"
            build.file('a' 'b')
                           ^ expected `,` or `)`, not `'`,"#]],
        );
        check(
            "build.file(1.2.3)",
            &expect![[r#"
            build.file(1.2.3)
                       ^ `1.2.3` is not a number"#]],
        );
        check(
            "build.file('\\q')",
            &expect![[r#"
            build.file('\q')
                       ^ a string with a wrong escape"#]],
        );
        check(
            "build.file(,)",
            &expect![[r#"
            build.file(,)
                       ^ expected an argument, not `,`,"#]],
        );
        check(
            "b--d.file()",
            &expect![[r#"
            b--d.file()
            ^ `b--d` cannot be the name of a stage"#]],
        );
        check(
            "b.c({x: 1})",
            &expect![[r#"
            b.c({x: 1})
                 ^ expected a string, not `x`,"#]],
        );
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| format!("a.b({}{})", "[".repeat(depth), "]".repeat(depth));
        assert!(parsed(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parsed(&nested(100_000)).unwrap_err().message, TOO_DEEP);
        assert_eq!(parsed(&"a.b(".repeat(100_000)).unwrap_err().message, TOO_DEEP);
        assert_eq!(parsed(&format!("a.b({}", "[{'x':".repeat(100_000))).unwrap_err().message, TOO_DEEP);
    }
}
