use super::*;
use crate::database::postgres::codec::Codec;

fn sent(array: &ArrayParameter) -> Vec<u8> {
    let mut out = BytesMut::new();
    array.to_sql(&Type::INT4_ARRAY, &mut out).unwrap();
    out.to_vec()
}

#[test]
fn arrays_have_the_servers_form() {
    let mut array = ArrayParameter::of_type(Codec::Int4.element().oid, 0);
    let push = |array: &mut ArrayParameter, number: i32| {
        array
            .push(|out| {
                out.extend(number.to_be_bytes());
                Ok::<_, Misfit>(())
            })
            .unwrap();
    };
    push(&mut array, 7);
    push(&mut array, -1);
    let words = |words: &[i32]| {
        words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect::<Vec<_>>()
    };
    assert_eq!(sent(&array), words(&[1, 0, 23, 2, 1, 4, 7, 4, -1]));
    array.push_null();
    assert_eq!(sent(&array), words(&[1, 1, 23, 3, 1, 4, 7, 4, -1, -1]));
    assert_eq!(format!("{array:?}"), "[3 values]");
}
