//! A program that contains a whole pipeline, in each language.

use testkit::Scratch;

use super::{GUESTS, can_build, host};

#[test]
fn a_program_has_arguments_and_standard_output_in_every_language() {
    if !can_build() {
        return;
    }
    for guest in GUESTS {
        let (scratch, component) = (Scratch::new(), guest.component("program"));
        let words = ["run", "--allow", "machine", component.to_str().unwrap(), "Ada", "Zoë"];
        let answer = host(&scratch, &words);
        let said = "testing 2 greetings\nAda: hello, Ada\nZoë: hello, Zoë\npacked 2 files\n";
        assert_eq!((answer.stdout.as_str(), answer.code), (said, Some(0)), "{guest:?}: {}", answer.stderr);
    }
}

#[test]
fn a_program_that_refuses_exits_with_1() {
    if !can_build() {
        return;
    }
    for guest in GUESTS {
        let (scratch, component) = (Scratch::new(), guest.component("program"));
        let answer = host(&scratch, &["run", "--allow", "machine", component.to_str().unwrap()]);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert_eq!(answer.code, Some(1), "{guest:?}: {said}");
        assert!(said.contains("nobody to greet: give names as arguments"), "{guest:?}: {said}");
    }
}

#[test]
fn a_program_has_nothing_that_it_was_not_granted() {
    if !can_build() {
        return;
    }
    for guest in GUESTS {
        let (scratch, component) = (Scratch::new(), guest.component("program"));
        let answer = host(&scratch, &["run", component.to_str().unwrap(), "Ada"]);
        assert!(answer.stderr.contains("the power `machine`, which was not granted"), "{guest:?}: {}", answer.stderr);
    }
}
