//! Custom sections of components.

use wasmparser::{Parser, Payload};

/// Where the SDK's macro puts the text of the module's WIT; in the core module, at some depth.
pub(crate) const WIT_SECTION: &str = "pipeline:wit";

/// Where `host build` puts the module's WIT, encoded; at the top of the component.
///
/// Not `package-docs`: the decoder of `wit-component` refuses a second one of these.
pub(crate) const DOCS_SECTION: &str = "pipeline:docs";

/// Finds a custom section at any depth.
pub(crate) fn find<'a>(wasm: &'a [u8], name: &str) -> Option<&'a [u8]> {
    Parser::new(0).parse_all(wasm).map_while(Result::ok).find_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    })
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
    }
}
