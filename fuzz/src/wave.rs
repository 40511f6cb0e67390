//! Values in WAVE, as flags of the command line give them.

use wasm_wave::value::{Type, Value};
use wasm_wave::wasm::WasmTypeKind;

/// A text, read as a value of each of the types. What is read is written so that it is read again as the same.
pub(super) fn wave(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for ty in types() {
        let Ok(value) = wasm_wave::from_str::<Value>(&ty, text) else { continue };
        let written = wasm_wave::to_string(&value).expect("a value can be written");
        let again = wasm_wave::from_str::<Value>(&ty, &written).expect("what was written can be read");
        // The texts are compared: a number that is none does not equal itself.
        assert_eq!(wasm_wave::to_string(&again).ok(), Some(written));
    }
}

/// Returns a type of each kind that a parameter can have.
fn types() -> Vec<Type> {
    use WasmTypeKind::{Bool, Char, F32, F64, S8, S16, S32, S64, String, U8, U16, U32, U64};
    let simple = [Bool, S8, S16, S32, S64, U8, U16, U32, U64, F32, F64, Char, String];
    let mut types: Vec<Type> = simple.into_iter().filter_map(Type::simple).collect();
    let record = Type::record([
        ("name", Type::STRING),
        ("tags", Type::list(Type::STRING)),
        ("true", Type::option(Type::CHAR)),
        ("deep", Type::option(Type::option(Type::F32))),
    ]);
    let variant = Type::variant([("none", None), ("some", Some(Type::list(Type::U8))), ("inf", Some(Type::F64))]);
    types.extend(record.clone());
    types.extend(variant.clone());
    types.extend(record.map(|record| Type::list(Type::option(record))));
    types.extend(Type::enum_ty(["red", "green", "ok"]));
    types.extend(Type::flags(["read", "write", "none"]));
    types.extend(Type::tuple([Type::BOOL, Type::S64, Type::STRING]));
    types.extend(variant.map(|variant| Type::result(Some(variant), None)));
    types.push(Type::fixed_length_list(Type::U16, 3));
    types
}
