use std::sync::Arc;

use super::*;
use crate::container::Container;
use crate::directory::Directory;
use crate::options::{ExecOptions, NewOptions};

/// Weighs what a method makes of an object.
fn weigh<T: Clone>(object: &T, make: impl FnOnce(&T) -> T) -> (Arc<T>, u64)
where
    Value: From<T>,
    Arc<T>: TryFrom<Object>,
{
    let origin = Origin::of(&[Value::from(object.clone())]);
    let made = Value::from(make(object));
    let n_bytes = origin.bytes_of(&made);
    let Value::Object(made) = made else { panic!("{made:?} is no object") };
    let Ok(made) = Arc::try_from(made) else { panic!("another object") };
    (made, n_bytes)
}

/// Makes a chain of objects, and returns the weight of all.
fn chain<T: Clone>(first: T, n: usize, make: impl Fn(&T, usize) -> T) -> u64
where
    Value: From<T>,
    Arc<T>: TryFrom<Object>,
{
    let (mut object, mut sum) = (Arc::new(first), 0);
    for at in 0..n {
        let (next, n_bytes) = weigh(&object, |object| make(object, at));
        (object, sum) = (next, sum + n_bytes);
    }
    sum
}

fn variables(n: usize) -> u64 {
    chain(Container::default(), n, |container, at| container.with_env_variable(&format!("V{at:06}"), "value"))
}

#[test]
fn twenty_thousand_variables_weigh_twenty_times_as_much_as_a_thousand() {
    let thousand = variables(1000);
    assert_eq!(variables(20_000), 20 * thousand);
    assert!(thousand < 1000 * 1024, "{thousand}");
}

#[test]
fn commands_share_the_variables_of_their_container() {
    let mut container = Container::default();
    for at in 0..1000 {
        container = container.with_env_variable(&format!("V{at}"), &"x".repeat(1000));
    }
    let commands = chain(container, 1000, |container, at| {
        container.with_exec(vec!["true".to_owned(), at.to_string()], &ExecOptions::default())
    });
    assert!(commands < 1000 * 2048, "{commands}");
}

#[test]
fn texts_of_a_method_are_weighed_wherever_they_go() {
    const LONG: usize = 100_000;
    let long = "x".repeat(LONG);
    let check = |name: &str, (_, n_bytes): (Arc<Container>, u64)| {
        assert!(n_bytes >= LONG as u64 && n_bytes < 3 * LONG as u64, "{name}: {n_bytes}");
    };
    let container = Container::default();
    let exec = |args: Vec<String>| weigh(&container, |c| c.with_exec(args, &ExecOptions::default()));
    check("argument", exec(vec![long.clone()]));
    check("variable", weigh(&container, |c| c.with_env_variable("A", &long)));
    check("label", weigh(&container, |c| c.with_config(|config| config.labels.set("a", &*long))));
    check("error", weigh(&container, |c| c.with_error(engine::FailureCode::Custom, &*long)));
    check("user", weigh(&container, |c| c.with_config(|config| config.user = Some(long.clone()))));
    check("entrypoint", weigh(&container, |c| c.with_config(|config| config.entrypoint = [long.clone()].into())));
    check("directory", weigh(&container, |c| c.with_new_directory(&long)));
    check("contents", weigh(&container, |c| c.with_new_file("a", long.as_str(), &NewOptions::default())));
    check("mount", weigh(&container, |c| c.with_mount(&long, MountSource::Temp { size_bytes: None, mode: 0 })));
}

#[test]
fn what_is_in_the_store_weighs_nothing() {
    let stored = graph::Contents::Stored { digest: graph::ContentDigest::of(b""), size_bytes: 1 << 40 };
    let (_, n_bytes) = weigh(&Directory::default(), |d| d.with_new_file("a", stored, &NewOptions::default()));
    assert!(n_bytes < 2048, "{n_bytes}");
    assert_eq!(text_bytes(&[Value::String("abc".to_owned()), Value::Bytes(vec![1, 2])]), 5);
}

#[test]
fn a_list_of_files_weighs_as_much_as_its_copies() {
    let files: Vec<crate::File> = (0..100).map(|at| Directory::default().file(&at.to_string())).collect();
    let mut args = vec![Value::from(Directory::default())];
    args.push(Value::List(files.iter().map(|file| Value::from(file.clone())).collect()));
    let origin = Origin::of(&args);
    let made = Directory::default().with_files(&"p/".repeat(500), &files);
    let n_bytes = origin.bytes_of(&Value::from(made));
    assert!(n_bytes > 150_000 && n_bytes < 200_000, "{n_bytes}");
}

#[test]
fn options_weigh_what_they_copy() {
    let options = ExecOptions { stdin: Some("x".repeat(5000)), ..ExecOptions::default() };
    let (_, n_bytes) = weigh(&options, |options| ExecOptions { network: false, ..options.clone() });
    assert!(n_bytes > 5000 && n_bytes < 6000, "{n_bytes}");
}

#[test]
fn a_value_that_is_no_object_weighs_nothing() {
    let origin = Origin::of(&[Value::from(Container::default())]);
    assert_eq!(origin.bytes_of(&Value::unit()), 0);
}
