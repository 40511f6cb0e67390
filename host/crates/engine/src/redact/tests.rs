//! Each form of a secret is replaced, however it is made, and however the stream is cut.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;

fn check(secrets: &[&str], writes: &[&str], expect: &str) {
    let mut redactor = Redactor::new(secrets.iter().map(|secret| secret.as_bytes()));
    let mut out = Vec::new();
    for write in writes {
        out.extend(redactor.push(write.as_bytes()));
    }
    out.extend(redactor.finish());
    assert_eq!(String::from_utf8_lossy(&out), expect, "{secrets:?} {writes:?}");
}

#[test]
fn a_secret_is_replaced_wherever_it_stands() {
    check(&["hunter2"], &["pw=hunter2 hunter2\n"], "pw=*** ***\n");
    check(&["hunter2\n"], &["hunter2"], "***");
    check(&["hunter2"], &["hunter"], "hunter");
    check(&["hunter2"], &["hunhunter2r2"], "hun***r2");
}

#[test]
fn a_secret_that_is_split_over_writes_is_replaced() {
    check(&["hunter2"], &["a hun", "te", "r2 b"], "a *** b");
    check(&["hunter2"], &["hun", "ky"], "hunky");
}

#[test]
fn each_line_and_each_encoding_is_replaced() {
    check(&["first line\nsecond line"], &["x second line y"], "x *** y");
    check(&["p@ss word"], &["cEBzcyB3b3Jk p%40ss%20word"], "*** ***");
}

#[test]
fn a_secret_that_begins_like_another_is_replaced_whole() {
    check(&["abcd", "abcdef"], &["abcdef abcd abcde"], "*** *** ***e");
}

#[test]
fn a_very_short_secret_is_not_searched_for() {
    check(&["a", "", "ab"], &["a banana"], "a banana");
    check(&[], &["a banana"], "a banana");
}

#[test]
fn what_looks_like_a_secret_for_a_while_is_shown() {
    let secret = &["p@ss/w\"rd'1"];
    for text in
        ["p%40ss%2", "p%40ss%2Fw\\\"", "cEBzcy9", "cEBz\n\n\n\ncy9", "cEBz\\n", "70 40 73 73 2", "p@ss/w\\", "%7"]
    {
        check(secret, &[text], text);
        check(secret, &[text, " and more\n"], &format!("{text} and more\n"));
    }
}

#[test]
fn bytes_that_cannot_become_a_secret_are_not_held_back() {
    let mut redactor = Redactor::new([b"hunter2".as_slice()]);
    for (bytes, expect) in
        [("a line\n", "a line\n"), ("hun", ""), ("ger%\n", "hunger%\n"), ("aHV\n", ""), ("x\n", "aHV\nx\n")]
    {
        assert_eq!(String::from_utf8_lossy(&redactor.push(bytes.as_bytes())), expect, "{bytes}");
    }
}

#[test]
fn what_is_held_back_is_bounded() {
    let mut redactor = Redactor::new([b"hunter2".as_slice()]);
    assert_eq!(redactor.push(b"aHVud"), b"");
    let shown = redactor.push(&[b' '; 1000]);
    assert_eq!(shown.len(), 1005);
}

#[test]
fn forms_that_programs_write_are_replaced() {
    let check = |secret: &str, text: &str, expect: &str| check(&[secret], &[text], expect);
    // `echo "$S" | base64`, which has the line end; behind other bytes; in a JSON text; in a URL.
    check("hunter2", "aHVudGVyMgo=", "***o=");
    check("hunter2", "dXNlcjpodW50ZXIy\n", "dXNlcj***\n");
    check("a?>a?>a?>", "YT8+YT8+YT8+ YT8-YT8-YT8- YT8%2bYT8%2BYT8%2b YT8\\u002BYT8+YT8+", "*** *** *** ***");
    check("???????", "\"Pz8/Pz8\\/\\nPw==\"", "\"***\"");
    // `xxd -p`, `od -An -tx1`, `openssl`, `xxd -i`, `printf '\x..'`.
    check("hunter22", "68756e7465723232 68:75:6E:74:65:72:32:32", "*** ***");
    check("hunter22", " 68 75 6e 74\n 65 72 32 32\n", " ***\n");
    check("hunter22", "0x68, 0x75, 0x6e, 0x74,\n 0x65, 0x72, 0x32, 0x32", "0x***");
    check("hunter22", "\\x68\\x75\\x6e\\x74\\x65\\x72\\x32\\x32", "***");
    check("hunter22", "$'\\150unter22'", "$'***'");
    // `encodeURIComponent`, `curl --data-urlencode`, Python's `quote` and `quote_plus`.
    check("a b/c+d", "a%20b%2Fc%2Bd a+b%2fc%2bd a%20b/c%2Bd", "*** *** ***");
    // `jq`, JSON in JSON, `printf %q`, `${S@Q}`, and quotes that are left for a moment.
    check("a\"b\\c'd", r#""a\"b\\c'd" \"a\\\"b\\\\c'd\""#, r#""***" \"***\""#);
    check("a\"b\\c'd", r#"a\"b\\c\'d 'a"b\c'\''d' 'a"b\c'"'"'d'"#, "*** '***' '***'");
    check("für\tü😀", r#""f\u00fcr\t\u00FC\ud83d\ude00" $'f\303\274r\t\xc3\xbc😀'"#, "\"***\" $'***'");
    check("one\ntwo", r#""one\ntwo""#, "\"***\"");
}

/// Numbers that are the same in each run: `xorshift`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % n
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn bytes(&mut self, n: usize, of: &[u8]) -> Vec<u8> {
        (0..n).map(|_| self.one_of(of)).collect()
    }
}

fn value(dice: &mut Dice) -> Vec<u8> {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let alphabets: [&[u8]; 5] =
        [b"abcdefghijklmnopqrstuvwxyz0123456789", b"a\\\"'/+% $n", b"ab", b"aA1!#$&()*+,/:;=?@[]{}<>~", &all];
    let mut value = b"x".to_vec();
    let (n, of) = (dice.one_of(&[3, 7, 11, 20, 58, 100, 300]), dice.one_of(&alphabets));
    value.extend(dice.bytes(n, of));
    value.push(b'.');
    value
}

/// Returns a value as some program would write it, and how many bytes at most are shown of it besides the stars.
fn encode(dice: &mut Dice, value: &[u8]) -> (Vec<u8>, usize) {
    match dice.below(6) {
        0 => (value.to_vec(), 0),
        1 | 2 => in_base64(dice, value),
        3 => (in_percent(dice, value), 0),
        4 => (in_hex(dice, value), 0),
        _ => (in_quotes(dice, value), 0),
    }
}

fn in_base64(dice: &mut Dice, value: &[u8]) -> (Vec<u8>, usize) {
    let (before, behind) = (dice.below(3), dice.below(3));
    let whole = [&dice.bytes(before, b"uvw"), value, &dice.bytes(behind, b"\n:")].concat();
    let text = dice.one_of(&[&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD]).encode(whole);
    let (width, end) = (dice.one_of(&[1000, 76, 64, 19, 4]), dice.one_of(&["\n", "\r\n", "\n    ", "\\n", "%0A"]));
    let lines: Vec<String> = text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into()).collect();
    let escaped = match dice.below(3) {
        0 => lines.join(end).replace('/', "\\/").replace('+', "\\u002b"),
        1 => lines.join(end).replace('/', "%2F").replace('+', "%2b"),
        _ => lines.join(end),
    };
    // The bytes around the value, and a first character at the end of a line.
    (escaped.into_bytes(), 8 + end.len())
}

fn in_percent(dice: &mut Dice, value: &[u8]) -> Vec<u8> {
    let (mostly, upper, plus) = (dice.below(3), dice.below(2) == 0, dice.below(2) == 0);
    let mut out = Vec::new();
    for byte in value {
        match *byte {
            b' ' if plus => out.push(b'+'),
            byte if byte != b'%' && (byte.is_ascii_alphanumeric() || mostly == 0) && dice.below(3) < 2 => {
                out.push(byte)
            }
            byte if upper => out.extend(format!("%{byte:02X}").bytes()),
            byte => out.extend(format!("%{byte:02x}").bytes()),
        }
    }
    out
}

fn in_hex(dice: &mut Dice, value: &[u8]) -> Vec<u8> {
    let is_spaced = value.len() >= 8;
    let between = if is_spaced { dice.one_of(&["", " ", ":", "-", ", 0x", "\n", "\\x"]) } else { "" };
    let upper = dice.below(2) == 0;
    let digits = value.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
    digits.collect::<Vec<_>>().join(between).into_bytes()
}

fn in_quotes(dice: &mut Dice, value: &[u8]) -> Vec<u8> {
    let way = dice.below(4);
    let mut out = Vec::new();
    for (n, byte) in value.iter().enumerate() {
        match (way, *byte) {
            (0, b'\'') => out.extend(b"'\\''"),
            (1, b'\'') => out.extend(b"'\"'\"'"),
            (2, byte @ (b'"' | b'\\' | b'/')) => out.extend([b'\\', byte]),
            (2, byte) if byte < b' ' => out.extend(format!("\\u{byte:04x}").bytes()),
            (3, byte) if byte.is_ascii_punctuation() && n > 0 => out.extend([b'\\', byte]),
            (3, byte) if !byte.is_ascii_graphic() => out.extend(format!("\\{byte:03o}").bytes()),
            (_, byte) => out.push(byte),
        }
    }
    out
}

#[test]
fn every_form_of_a_random_value_is_replaced_wherever_the_stream_is_cut() {
    for seed in 1..=300_u64 {
        let dice = &mut Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let value = value(dice);
        let (encoded, n_around) = encode(dice, &value);
        let text = [b"<< ", encoded.as_slice(), b" >>"].concat();
        let told = format!("{seed}: {:?} {:?}", String::from_utf8_lossy(&value), String::from_utf8_lossy(&text));
        let mut redactor = Redactor::new([value.as_slice()]);
        let shown = [redactor.push(&text), redactor.finish()].concat();
        assert!(shown.starts_with(b"<< ") && shown.ends_with(b" >>"), "{told}");
        let is_short = shown.len() <= b"<< *** >>".len() + n_around;
        assert!(
            is_short && shown.windows(3).any(|bytes| bytes == STARS),
            "{told}: {}",
            String::from_utf8_lossy(&shown)
        );
        for _ in 0..3 {
            let (mut rest, mut got) = (text.as_slice(), Vec::new());
            while !rest.is_empty() {
                let most = dice.one_of(&[1, 3, 40]).min(rest.len());
                let (chunk, behind) = rest.split_at(1 + dice.below(most));
                got.extend(redactor.push(chunk));
                rest = behind;
            }
            got.extend(redactor.finish());
            assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&shown), "{told}");
        }
    }
}

#[test]
fn text_without_the_secret_passes_as_it_is() {
    let dice = &mut Dice(4711);
    let of: Vec<u8> = b"aAhHu\\\"'%+/=0x61 \n\t:-".to_vec();
    for _ in 0..300 {
        let text = dice.bytes(400, &of);
        let mut redactor = Redactor::new([b"correct horse \"battery\"".as_slice(), b"staple/+%41\\"]);
        let mut got = Vec::new();
        for chunk in text.chunks(1 + dice.below(50)) {
            got.extend(redactor.push(chunk));
        }
        got.extend(redactor.finish());
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&text));
    }
}
