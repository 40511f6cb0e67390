//! Tests of the encoding of nodes.

use graph::ContentDigest;
use proptest::prelude::*;

use super::*;

#[test]
fn a_node_has_one_encoding() {
    assert!(Node::decode(&[1, 0, 0]).is_ok());
    // Flags that are neither 0 nor 1, and numbers with more bytes than they need or bits than there are.
    let too_large = [&[1, 0][..], &[0xff; 9], &[0x7f]].concat();
    for bytes in [&[1, 0xff, 0][..], &[1, 2, 0], &[1, 0, 0x80, 0], &[1, 1, 0x80, 0x80, 0, 0, 0, 0], &too_large] {
        assert!(Node::decode(bytes).is_err(), "{bytes:?}");
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let digest = any::<[u8; 32]>().prop_map(ContentDigest::from_bytes);
    let kind = prop_oneof![
        (digest.clone(), any::<u64>()).prop_map(|(digest, size)| Kind::File { digest, size }),
        digest.clone().prop_map(|digest| Kind::Directory { digest }),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|target| Kind::Symlink { target: target.into() }),
        Just(Kind::Fifo),
        (prop::collection::vec(any::<u8>(), 0..9), digest)
            .prop_map(|(path, key)| Kind::Machine { host_path: path.into(), key }),
    ];
    let mtime =
        prop_oneof![Just(Mtime::Unset), any::<i64>().prop_map(Mtime::Seen), any::<i64>().prop_map(Mtime::Pinned)];
    let name = prop::collection::vec(1_u8..255, 1..9)
        .prop_filter("a name", |name| !name.contains(&b'/') && name != b"." && name != b"..");
    (name, kind, any::<(u32, u32, u32)>(), mtime).prop_map(|(name, kind, (mode, uid, gid), mtime)| Entry {
        name: name.into(),
        kind,
        owned: Owned { mode, uid, gid },
        mtime,
    })
}

proptest! {
    #[test]
    fn a_node_reads_back_as_it_was_written(entries in prop::collection::vec(any_entry(), 0..9), root: Option<(u32, u32, u32)>) {
        let mut node = Node::default();
        entries.into_iter().for_each(|entry| node.put(entry));
        node.root = root.map(|(mode, uid, gid)| Owned { mode, uid, gid });
        let (digest, bytes) = node.encode();
        prop_assert_eq!(Node::decode(&bytes), Ok((digest, node)));
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..99)) {
        let _ = Node::decode(&bytes);
    }

}
