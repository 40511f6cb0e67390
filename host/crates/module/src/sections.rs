//! Custom sections of components.

use std::iter;

use wasmparser::{BinaryReader, BinaryReaderError, Chunk, Parser, Payload};

/// The section of the WIT text that the SDK's macro writes. It is in a core module at some depth.
pub(crate) const WIT_SECTION: &str = "pipeline:wit";

/// The section of the encoded WIT that `host build` writes. It is at the top of the component.
///
/// The name is not `package-docs`: the decoder of `wit-component` refuses a second section of that name.
pub(crate) const DOCS_SECTION: &str = "pipeline:docs";

/// Finds a custom section at any depth.
pub(crate) fn find<'a>(wasm: &'a [u8], name: &str) -> Option<&'a [u8]> {
    Parser::new(0).parse_all(wasm).map_while(Result::ok).find_map(|payload| custom(&payload, name))
}

fn custom<'a>(payload: &Payload<'a>, name: &str) -> Option<&'a [u8]> {
    match payload {
        Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    }
}

/// Returns the sections at the top. The contents of nested modules and components are skipped.
pub(crate) fn at_the_top(wasm: &[u8]) -> impl Iterator<Item = Result<Payload<'_>, BinaryReaderError>> {
    let (mut parser, mut rest, mut is_over) = (Parser::new(0), wasm, false);
    iter::from_fn(move || {
        if is_over {
            return None;
        }
        let parsed = parser.parse(rest, true);
        let Ok(Chunk::Parsed { consumed, payload }) = parsed else {
            is_over = true;
            return parsed.err().map(Err);
        };
        let skipped = match &payload {
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                unchecked_range.len()
            }
            _ => 0,
        };
        is_over = matches!(payload, Payload::End(_));
        // A nested module that is cut off is an error, too.
        let mut reader = BinaryReader::new(rest, 0);
        if let Err(error) = reader.read_bytes(consumed + skipped) {
            is_over = true;
            return Some(Err(error));
        }
        rest = rest.get(consumed + skipped..).unwrap_or_default();
        Some(Ok(payload))
    })
}

/// Finds a custom section at the top.
pub(crate) fn find_at_the_top<'a>(wasm: &'a [u8], name: &str) -> Option<&'a [u8]> {
    at_the_top(wasm).map_while(Result::ok).find_map(|payload| custom(&payload, name))
}

/// Appends a custom section at the top, in place of one of the same name that was appended before.
pub(crate) fn put(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut former = Vec::new();
    if let Some(data) = find_at_the_top(wasm, name) {
        append(&mut former, name, data);
    }
    if wasm.ends_with(&former) {
        wasm.truncate(wasm.len() - former.len());
    }
    append(wasm, name, data);
}

/// Appends a custom section at the top.
///
/// Source: WebAssembly 3.0, "Custom Section"; a component's are laid out the same.
pub(crate) fn append(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = leb128(name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    wasm.push(0);
    wasm.extend(leb128(body.len()));
    wasm.extend(body);
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_found() {
        let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
        append(&mut wasm, "other", b"x");
        append(&mut wasm, DOCS_SECTION, &[7; 300]);
        assert_eq!(find(&wasm, DOCS_SECTION), Some([7; 300].as_slice()));
        assert_eq!(find(&wasm, "gone"), None);
        assert_eq!(find_at_the_top(&wasm, DOCS_SECTION), Some([7; 300].as_slice()));
    }

    #[test]
    fn what_is_in_a_module_is_not_at_the_top() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        append(&mut module, WIT_SECTION, b"text");
        let mut wasm = b"\0asm\x0d\0\x01\0\x01".to_vec();
        wasm.extend(leb128(module.len()));
        wasm.extend(module);
        append(&mut wasm, DOCS_SECTION, b"docs");
        assert_eq!(find(&wasm, WIT_SECTION), Some(b"text".as_slice()));
        assert_eq!(find_at_the_top(&wasm, WIT_SECTION), None);
        assert_eq!(find_at_the_top(&wasm, DOCS_SECTION), Some(b"docs".as_slice()));
        wasm.truncate(14);
        assert!(at_the_top(&wasm).any(|payload| payload.is_err()));
    }
}
