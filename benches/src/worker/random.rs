//! Numbers that look random and are the same on every machine.

const WORDS: [&str; 16] = [
    "let", "return", "match", "value", "self", "stage", "the", "vertex", "of", "digest", "(", ")", "{\n", "}\n", ";\n",
    "=",
];

/// A generator of numbers.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014), SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// Returns a generator with a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `n`, which is small enough that the bias does not matter.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// Appends something that looks like source text, up to a size in bytes.
    pub(crate) fn write_text(&mut self, text: &mut String, size: usize) {
        while text.len() < size {
            text.push_str(WORDS[self.below(WORDS.len())]);
            text.push_str(&format!(" x{} ", self.below(1 << 16)));
        }
        text.truncate(size);
    }

    /// Appends bytes that no compression makes smaller.
    pub(crate) fn write_noise(&mut self, bytes: &mut Vec<u8>, n_bytes: usize) {
        let size = bytes.len() + n_bytes;
        while bytes.len() < size {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(size);
    }

    /// Returns a size between two sizes in bytes. The logarithms of sizes are spread evenly, so that most sizes are
    /// small.
    pub(crate) fn size(&mut self, least: f64, most: f64) -> usize {
        (least * (most / least).powf(self.fraction())) as usize
    }

    /// Returns a number between 0 and 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
