use super::*;

#[test]
fn few_rows_are_not_worth_it() {
    assert!(!is_worth_it(100, 6));
    assert!(is_worth_it(3000, 6));
    assert!(is_worth_it(100, 50));
}
