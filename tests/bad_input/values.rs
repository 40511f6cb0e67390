//! Arguments that do not have the type of their parameter.

use testkit::Scratch;

use crate::case::{Row, USAGE, check_calls};

#[test]
fn a_wrong_scalar_is_named_with_the_accepted_values() {
    let rows: &[Row<'_>] = &[
        (
            "no number",
            "unsigned --a x --b 1 --c 1 --d 1",
            USAGE,
            &["`--a` of stage `unsigned` takes a", "u8", "not `x`"],
        ),
        ("above its range", "unsigned --a 256 --b 1 --c 1 --d 1", USAGE, &["u8", "not `256`"]),
        ("below its range", "unsigned --a -1 --b 1 --c 1 --d 1", USAGE, &["u8", "not `-1`"]),
        ("a fraction", "signed --a 1.5 --b 1 --c 1 --d 1", USAGE, &["s8", "not `1.5`"]),
        ("no float", "floats --a one --b 1", USAGE, &["`--a` of stage `floats`", "not `one`"]),
        ("no boolean", "boolean --value=maybe", USAGE, &["takes true or false, not `maybe`"]),
        ("no case", "enum --value medium", USAGE, &["takes one of low, very-high, not `medium`"]),
        ("two characters", "character --value ab", USAGE, &["takes a single character, not `ab`"]),
        ("no character", "character --value ''", USAGE, &["takes a single character, not ``"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn a_wrong_structure_is_named_with_the_mistake_in_it() {
    let record = "takes record { x: s32, y: s32 }, not";
    let rows: &[Row<'_>] = &[
        ("missing field", r#"record --value '{"x":1}'"#, USAGE, &[record, "the field `y`, a", "is missing"]),
        ("unknown field", r#"record --value '{"x":1,"y":2,"z":3}'"#, USAGE, &["there is no field `z`; there is: x, y"]),
        ("field of another type", r#"record --value '{"x":1,"y":"a"}'"#, USAGE, &["caused by: ", r#"`"a"`"#]),
        ("JSON that is cut off", r#"record --value '{"x":1,'"#, USAGE, &[record, "EOF while parsing", "column 7"]),
        ("WAVE that is cut off", "record --value '{x: 1, y: '", USAGE, &[record, "unexpected end of input"]),
        ("WAVE without a field", "record --value '{x: 1}'", USAGE, &[record, "missing field \"y\""]),
        ("neither JSON nor WAVE", "record --value nonsense", USAGE, &[record, "not `nonsense`"]),
        ("no case of a variant", "variant --value hexagon", USAGE, &["takes variant", "hexagon"]),
        ("a tuple that is too short", r#"tuple --value '["a",1]'"#, USAGE, &["tuple<string, u32, bool>"]),
        ("a list that is none", "files --values '[1'", USAGE, &["`--values` of stage `files`", "not `[1`"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}

#[test]
fn a_type_that_the_command_line_cannot_take_is_named() {
    let rows: &[Row<'_>] = &[
        ("an image", "container --value ../up", USAGE, &["`../up` is not the name of an image", "hint: a name looks"]),
        ("an image that is missing", "container", USAGE, &["stage `container` needs `--value`", "--value IMAGE"]),
        ("a service", "base with-service-binding --alias a --service x", USAGE, &["`--service`", "takes a service"]),
    ];
    check_calls(&Scratch::new(), "values", rows);
}
