//! What of a secret is replaced in output, for the shim, which does it before anything is written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Returns the texts that are replaced, longest first: the same as `backend::Redactor` searches for.
pub(crate) fn needles(secrets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for value in secrets {
        let whole = value.trim_ascii();
        for text in std::iter::once(whole).chain(whole.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)) {
            if text.len() >= backend::redact::MIN_BYTES {
                needles.extend([text.to_vec(), url_encoded(text)]);
                needles.extend([STANDARD.encode(text).into_bytes(), STANDARD_NO_PAD.encode(text).into_bytes()]);
            }
        }
    }
    needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    needles.dedup();
    needles
}

fn url_encoded(bytes: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) => vec![*byte],
        byte => format!("%{byte:02X}").into_bytes(),
    };
    bytes.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_redactor_replaces_is_a_needle() {
        let secrets = [b"first line\nsecond=1\n".to_vec(), b"abc".to_vec()];
        for needle in needles(&secrets) {
            let redactor = backend::Redactor::new(secrets.iter().map(Vec::as_slice));
            assert_eq!(redactor.redact(&needle), b"***", "{}", String::from_utf8_lossy(&needle));
        }
        assert_eq!(needles(&secrets).len(), 12);
    }
}
