//! Mistakes in, messages out.

use expect_test::{Expect, expect};

use super::*;

/// Checks the mistakes that are found in the items of a module, each with the text that
/// it points to.
fn check(items: &str, expected: &Expect) {
    let text = format!("mod stages {{{items}}}");
    let module: ItemMod = syn::parse_str(&text).unwrap();
    let Err(errors) = interface(&module) else { panic!("no mistake was found in {text}") };
    let messages: Vec<String> = errors
        .into_iter()
        .map(|error| {
            let place = error.span().source_text().unwrap_or_default();
            format!("{place}\n  {error}\n")
        })
        .collect();
    expected.assert_eq(&messages.concat());
}

#[test]
fn a_module_without_stages_is_refused() {
    check(
        "fn helper() {} pub(crate) fn neither() {}",
        &expect![[r#"
            stages
              the module has no stage: make at least one function `pub`
        "#]],
    );
}

#[test]
fn defaults_are_constants_of_their_type() {
    check(
        r#"
        #[derive(Enum)] pub enum Mode { A }
        pub fn a(#[default("x")] value: u8) {}
        pub fn b(#[default(1 + 1)] value: u8) {}
        pub fn c(#[default(-1)] value: u8) {}
        pub fn d(#[default(Other::A)] value: Mode) {}
        pub fn e(#[default(1)] value: Option<u8>) {}
        pub fn f(#[default] value: u8) {}
        pub fn g(#[default(1)] value: Directory) {}
        "#,
        &expect![[r#"
            "x"
              a default is a literal of the parameter's type, or a case of its enum
            1 + 1
              a default is a literal of the parameter's type, or a case of its enum
            -1
              a default is a literal of the parameter's type, or a case of its enum
            Other::A
              a default is a literal of the parameter's type, or a case of its enum
            #[default(1)]
              a parameter with a default is no `Option`: write the type inside of it
            default
              expected attribute arguments in parentheses: #[default(...)]
            1
              a default is a literal of the parameter's type, or a case of its enum
        "#]],
    );
}

#[test]
fn functions_that_cannot_be_stages_are_refused() {
    check(
        r#"
        pub async fn a() {}
        pub unsafe fn b() {}
        pub extern "C" fn c() {}
        pub fn d<T>(value: T) {}
        pub fn e<'a>(value: &'a str) {}
        pub fn f(self) {}
        pub fn g((a, b): (u8, u8)) {}
        pub fn h(_: u8) {}
        #[cfg(test)] pub fn i() {}
        "#,
        &expect![[r#"
            async
              a stage cannot be `async`: methods of objects wait by themselves, and `sync_all` evaluates several at the same time
            unsafe
              a stage cannot be `unsafe`
            extern "C"
              a stage cannot be `extern`: remove that word
            <T>
              a stage cannot be generic, because callers cannot choose types: use the types themselves
            <'a>
              a stage cannot be generic, because callers cannot choose types: use the types themselves
            self
              a stage cannot have `self`, because every call starts without state: remove it
            (a, b)
              the parameter needs a name, because callers see it
            _
              the parameter needs a name, because callers see it
            #[cfg(test)]
              a stage cannot have `#[cfg]`, because the interface is the same in every build: use `#[cfg]` inside of the function, or remove `pub`
        "#]],
    );
}

#[test]
fn types_that_an_interface_does_not_have_are_refused_with_what_to_use() {
    check(
        r"
        pub fn a(n: usize, m: HashMap<String, u8>, p: &Path) {}
        pub fn b(values: [u8; 4], f: fn(), g: impl Fn(u8), h: Box<dyn Display>) {}
        pub fn c(tree: &mut Directory, unit: (), e: Error) {}
        pub fn d(options: my::Options) {}
        pub fn e(list: Vec, texts: Vec<&str>, more: Option<String, u8>) {}
        ",
        &expect![[r#"
            usize
              an interface cannot have the type `usize`: its size depends on the machine, so use `u32` or `u64`
            HashMap<String, u8>
              an interface cannot have the type `HashMap<String, u8>`: use `Vec<(K, V)>`
            Path
              an interface cannot have the type `Path`: a stage has no file system, so use `File`, `Directory` or `String`
            [u8; 4]
              an interface cannot have the type `[u8; 4]`: use `Vec<T>`
            fn()
              an interface cannot have the type `fn ()`: a function cannot be passed to a stage
            impl Fn(u8)
              an interface cannot have the type `impl Fn (u8)`: callers cannot choose a type, so use the type itself
            Box<dyn Display>
              an interface cannot have the type `Box<dyn Display>`: use the type inside of it
            &mut Directory
              a stage cannot change its arguments: use `Directory`
            ()
              an interface cannot have the type `()`: remove it
            Error
              an interface cannot have the type `Error`: to fail, return `Result<T>`
            my::Options
              an interface cannot have the type `my::Options`: one of your own must be declared in this module, with `#[derive(Record)]`, `#[derive(Enum)]`, `#[derive(Variant)]` or `#[derive(Object)]`
            Vec
              write the type of its elements: `Vec<T>`
            &str
              an interface cannot have the type `&str`: only a parameter can be a reference, so use an owned type here
            Option<String, u8>
              write the type of its elements: `Option<T>`
        "#]],
    );
}

#[test]
fn results_are_what_a_stage_returns_and_nothing_else() {
    check(
        r"
        pub fn a(value: Result<u8>) {}
        pub fn b() -> Vec<Result<u8>> {}
        pub fn c() -> Result {}
        pub fn d() -> &'static str {}
        pub fn e() -> Result<Result<u8>> {}
        ",
        &expect![[r#"
            Result<u8>
              an interface cannot have the type `Result<u8>`: only the return type of a stage can be a `Result`, and not as a part of another type
            Result<u8>
              an interface cannot have the type `Result<u8>`: only the return type of a stage can be a `Result`, and not as a part of another type
            Result
              write the type of the value: `Result<T>`, or `Result<()>` for none
            &'static str
              an interface cannot have the type `&'static str`: only a parameter can be a reference, so use an owned type here
            Result<u8>
              an interface cannot have the type `Result<u8>`: only the return type of a stage can be a `Result`, and not as a part of another type
        "#]],
    );
}

#[test]
fn a_type_in_a_signature_has_a_derive_and_is_public() {
    check(
        "struct A { a: u8 } enum B { C } pub fn a(a: A, b: B) {}",
        &expect![[r#"
            A
              put `#[derive(Record)]` or `#[derive(Object)]` before `struct A`, because callers see it
            B
              put `#[derive(Enum)]` or `#[derive(Variant)]` before `enum B`, because callers see it
        "#]],
    );
    check(
        "#[derive(Record)] struct Options { level: u8 } pub fn build(options: Vec<Options>) {}",
        &expect![[r#"
            Options
              make `Options` `pub`, because a stage uses it in its signature
        "#]],
    );
}

#[test]
fn types_that_do_not_fit_their_derive_are_refused() {
    check(
        r"
        #[derive(Record)] pub struct A(u8);
        #[derive(Record)] pub struct B {}
        #[derive(Record)] pub struct C<T> { c: T }
        #[derive(Record)] pub enum D { A }
        #[derive(Enum)] pub struct E { a: u8 }
        #[derive(Enum)] pub enum F { A(u8) }
        #[derive(Enum)] pub enum G {}
        #[derive(Variant)] pub enum H { A(u8, u8), B { b: u8 } }
        #[derive(Record)] pub struct I { a: usize, b: &'static str }
        pub fn stage() {}
        ",
        &expect![[r#"
            A
              a record must have named fields: `struct NAME { field: T }`
            B
              a record must have at least one field
            <T>
              a record cannot be generic, because callers cannot choose types
            D
              `D` is an `enum`: derive `Enum` or `Variant`
            E
              `E` is a `struct`: derive `Record` or `Object`, not `Enum`
            (u8)
              a case of an enum cannot have a value: derive `Variant` instead
            G
              the enum has no cases, so it has no values: add one
            (u8, u8)
              a case has at most one value, as in `Case(T)`: use a record or a tuple for several
            { b: u8 }
              a case has at most one value, as in `Case(T)`: use a record or a tuple for several
            usize
              an interface cannot have the type `usize`: its size depends on the machine, so use `u32` or `u64`
            &'static str
              an interface cannot have the type `&'static str`: only a parameter can be a reference, so use an owned type here
        "#]],
    );
}

#[test]
fn names_that_are_one_in_the_interface_are_refused() {
    check(
        r"
        #[derive(Record)] pub struct BuildAll { a_b: u8, aB: u8 }
        #[derive(Enum)] pub enum Mode { AB, Ab, A_b }
        pub fn build(a_b: u8, aB: u8) {}
        ",
        &expect![[r#"
            BuildAll
              two fields are both `a-b` in the interface: rename one of them
            Mode
              two cases are both `ab` in the interface: rename one of them
            a_b: u8, aB: u8
              two parameters are both `a-b` in the interface: rename one of them
        "#]],
    );
    check(
        r"
        #[derive(Record)] pub struct BuildAll { a: u8 }
        pub fn build_all(a: BuildAll) {}
        pub fn test_it() {}
        pub fn testIt() {}
        ",
        &expect![[r#"
            build_all
              `build_all` and `BuildAll` are both `build-all` in the interface: rename one of them
            testIt
              `testIt` and `test_it` are both `test-it` in the interface: rename one of them
        "#]],
    );
}

#[test]
fn types_that_contain_themselves_are_refused() {
    check(
        r"
        #[derive(Record)] pub struct Tree { children: Vec<Branch> }
        #[derive(Variant)] pub enum Branch { Leaf, Tree(Tree) }
        pub fn grow(tree: Tree) {}
        ",
        &expect![[r#"
            Tree
              `Tree` contains itself, and an interface cannot have such a type
            Branch
              `Branch` contains itself, and an interface cannot have such a type
        "#]],
    );
}

#[test]
fn functions_that_cannot_be_of_an_object_are_refused() {
    check(
        r"
        #[derive(Object)] pub struct Linter;
        impl Linter {
            pub fn new() -> Result<Self> {}
            pub fn set(&mut self, level: u32) {}
            pub fn consume(self) -> u32 {}
            pub fn shared(self: Rc<Self>) {}
            pub async fn slow(&self) {}
            pub fn generic<T>(&self, value: T) {}
            pub fn handle(&self) -> u32 {}
            pub fn count(&self) -> usize {}
        }
        #[derive(Object)] pub struct Other;
        impl Other {
            pub fn new(&self) -> Self {}
        }
        #[derive(Object)] pub struct Third;
        impl Third {
            pub fn new() -> Other {}
            pub fn aB(&self) {}
            pub fn a_b(&self) {}
        }
        pub fn stage() {}
        ",
        &expect![[r#"
            -> Result<Self>
              a constructor cannot fail, because not every language of callers can express that: write a stage that returns `Result<Linter>`, or give the function a name other than `new`
            &mut self
              a method cannot change its object: use `&self`, and return a new object
            self
              a method cannot consume its object, because others may use it: use `&self`
            self: Rc<Self>
              a method can take its object only as `&self`
            async
              a method cannot be `async`: methods of objects wait by themselves, and `sync_all` evaluates several at the same time
            <T>
              a method cannot be generic, because callers cannot choose types: use the types themselves
            handle
              rename `handle`: generated code in the modules of callers uses this name
            usize
              an interface cannot have the type `usize`: its size depends on the machine, so use `u32` or `u64`
            &self
              `new` is the constructor and cannot have `self`: remove it, or rename the function
            -> Other
              `new` is the constructor and must return `Self`: rename it if it does not return `Third`
            Third
              two functions are both `a-b` in the interface: rename one of them
        "#]],
    );
}

#[test]
fn structs_that_cannot_be_objects_are_refused() {
    check(
        r"
        #[derive(Object)] pub enum A { B }
        #[derive(Object)] pub struct C<'a> { c: &'a str }
        pub fn stage(a: &mut D, b: Option<&mut D>) -> &D {}
        #[derive(Object)] pub struct D;
        ",
        &expect![[r#"
            A
              `A` is an `enum`: derive `Enum` or `Variant`
            <'a>
              an object cannot be generic, because callers cannot choose types and it lives longer than a call
            &mut D
              a stage cannot change its arguments: use `D`
            &mut D
              a stage cannot change its arguments: use `D`
            &D
              an interface cannot have the type `&D`: only a parameter can be a reference, so use an owned type here
        "#]],
    );
    check(
        "#[derive(Object)] struct Linter; pub fn strict() -> Linter {}",
        &expect![[r#"
        Linter
          make `Linter` `pub`, because callers use objects
    "#]],
    );
    check(
        "#[derive(Object)] pub struct Linter; pub fn linter() -> Linter {}",
        &expect![[r#"
        linter
          `linter` and `Linter` are both `linter` in the interface: rename one of them
    "#]],
    );
}

#[test]
fn a_check_has_no_arguments() {
    check(
        "#[check(fast)] pub fn test() {}",
        &expect![[r#"
        (
          unexpected token in attribute
    "#]],
    );
}
