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
              no stage: at least one function must be `pub`
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
              a stage is not `async`: what waits is the host; `sync_all` evaluates many at once
            unsafe
              a stage cannot be `unsafe`
            extern "C"
              a stage is an ordinary function: leave `extern` out
            <T>
              a stage cannot be generic: callers cannot choose types; name them
            <'a>
              a stage cannot be generic: callers cannot choose types; name them
            self
              a stage has no `self`: each call starts anew
            (a, b)
              give the parameter a name: callers see it
            _
              give the parameter a name: callers see it
            #[cfg(test)]
              a stage is there or not: put `#[cfg]` inside of it, or take `pub` away
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
              an interface has no type `usize`: its size differs from machine to machine: use `u32` or `u64`
            HashMap<String, u8>
              an interface has no type `HashMap<String, u8>`: use `Vec<(K, V)>`
            Path
              an interface has no type `Path`: a stage sees no files but those it is handed: use `File`, `Directory` or `String`
            [u8; 4]
              an interface has no type `[u8; 4]`: use `Vec<T>`
            fn()
              an interface has no type `fn ()`: functions cannot be handed over
            impl Fn(u8)
              an interface has no type `impl Fn (u8)`: name a type; callers cannot choose one
            Box<dyn Display>
              an interface has no type `Box<dyn Display>`: use what is in it
            &mut Directory
              a stage cannot change its arguments: take `Directory`
            ()
              an interface has no type `()`: leave it out
            Error
              an interface has no type `Error`: fail with it: return `Result<T>`
            my::Options
              an interface has no type `my::Options`: one of your own must be declared in this module, with `#[derive(Record)]`, `#[derive(Enum)]`, `#[derive(Variant)]` or `#[derive(Object)]`
            Vec
              write what is in it: `Vec<T>`
            &str
              an interface has no type `&str`: only a parameter can be a reference; here the value must be owned
            Option<String, u8>
              write what is in it: `Option<T>`
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
              an interface has no type `Result<u8>`: only what a stage returns can be a `Result`, and not inside of another type
            Result<u8>
              an interface has no type `Result<u8>`: only what a stage returns can be a `Result`, and not inside of another type
            Result
              write what it returns: `Result<T>`, or `Result<()>` for nothing
            &'static str
              an interface has no type `&'static str`: only a parameter can be a reference; here the value must be owned
            Result<u8>
              an interface has no type `Result<u8>`: only what a stage returns can be a `Result`, and not inside of another type
        "#]],
    );
}

#[test]
fn a_type_in_a_signature_has_a_derive_and_is_public() {
    check(
        "struct A { a: u8 } enum B { C } pub fn a(a: A, b: B) {}",
        &expect![[r#"
            A
              put `#[derive(Record)]`, or `#[derive(Object)]`, before `struct A`: callers see it
            B
              put `#[derive(Enum)]`, or `#[derive(Variant)]`, before `enum B`: callers see it
        "#]],
    );
    check(
        "#[derive(Record)] struct Options { level: u8 } pub fn build(options: Vec<Options>) {}",
        &expect![[r#"
            Options
              make `Options` `pub`: it is in the signature of a stage
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
              a record has named fields: `struct NAME { field: T }`
            B
              a record has at least one field
            <T>
              a record cannot be generic: callers cannot choose types
            D
              `D` is an `enum`: derive `Enum` or `Variant`
            E
              `E` is a `struct`: derive `Record` or `Object`, not `Enum`
            (u8)
              a case of an enum has no value: derive `Variant`
            G
              it has no cases, so nobody could make one
            (u8, u8)
              a case has one value, as in `Case(T)`: put several into a record or a tuple
            { b: u8 }
              a case has one value, as in `Case(T)`: put several into a record or a tuple
            usize
              an interface has no type `usize`: its size differs from machine to machine: use `u32` or `u64`
            &'static str
              an interface has no type `&'static str`: only a parameter can be a reference; here the value must be owned
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
              two fields are both `a-b` in the interface: rename one
            Mode
              two cases are both `ab` in the interface: rename one
            a_b: u8, aB: u8
              two parameters are both `a-b` in the interface: rename one
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
              `build_all` and `BuildAll` are both `build-all` in the interface: rename one
            testIt
              `testIt` and `test_it` are both `test-it` in the interface: rename one
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
              `Tree` contains itself, which an interface cannot express
            Branch
              `Branch` contains itself, which an interface cannot express
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
              a constructor cannot fail, because not every language of callers has a way to say so: write a stage that returns `Result<Linter>`, or give the function another name than `new`
            &mut self
              an object is a value and does not change: take `&self`, and return a new object
            self
              a method does not use up its object, which others may have: take `&self`
            self: Rc<Self>
              write `&self`: a method takes its object so and no other way
            async
              a method is not `async`: what waits is the host; `sync_all` evaluates many at once
            <T>
              a method cannot be generic: callers cannot choose types; name them
            handle
              rename `handle`: in the Rust code of callers, generated code has it
            usize
              an interface has no type `usize`: its size differs from machine to machine: use `u32` or `u64`
            &self
              `new` makes an object: leave `self` out, or rename it
            -> Other
              `new` returns `Self`: rename it if it makes something else than `Third`
            Third
              two functions are both `a-b` in the interface: rename one
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
              an object cannot be generic: callers cannot choose types, and it lives longer than a call
            &mut D
              a stage cannot change its arguments: take `D`
            &mut D
              a stage cannot change its arguments: take `D`
            &D
              an interface has no type `&D`: only a parameter can be a reference; here the value must be owned
        "#]],
    );
    check(
        "#[derive(Object)] struct Linter; pub fn strict() -> Linter {}",
        &expect![[r#"
        Linter
          make `Linter` `pub`: callers see an object
    "#]],
    );
    check(
        "#[derive(Object)] pub struct Linter; pub fn linter() -> Linter {}",
        &expect![[r#"
        linter
          `linter` and `Linter` are both `linter` in the interface: rename one
    "#]],
    );
}
