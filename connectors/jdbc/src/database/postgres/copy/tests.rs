use super::*;
use crate::database::postgres::codec::Codec;

fn column(kind: &Type, base: BaseType) -> PostgresType {
    PostgresType {
        oid: kind.oid(),
        sql_name: kind.name().to_owned(),
        base,
        modifier: -1,
        has_exact_equality: true,
    }
}

#[test]
fn only_columns_of_the_values_type_take_them() {
    let int4 = column(&Type::INT4, BaseType::Int4);
    let varchar = column(&Type::VARCHAR, BaseType::Varchar);
    let json = column(&Type::JSONB, BaseType::Other);
    assert!(takes(&int4, Codec::Int4.element()));
    assert!(!takes(&int4, Codec::Int8.element()));
    assert!(!takes(&int4, Codec::Text.element()));
    assert!(takes(&varchar, Codec::Text.element()));
    // Its binary form begins with a version.
    assert!(!takes(&json, Codec::Text.element()));
}

#[test]
fn few_rows_are_not_worth_a_round_trip() {
    assert!(!is_worth_it(100, 6));
    assert!(is_worth_it(3000, 6));
    assert!(is_worth_it(100, 50));
    assert!(!is_worth_it(100_000, 1));
}
