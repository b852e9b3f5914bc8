//! `CREATE TABLE` and `ALTER TABLE` (spec section 7), laid out as the
//! reference does.

use tether_api::Result;

use super::Dialect;
use crate::fields::SinkField;
use crate::table::TableId;

pub(super) fn create_table(
    dialect: &impl Dialect,
    table: &TableId,
    fields: &[&SinkField],
) -> Result<String> {
    let mut sql = String::from("CREATE TABLE ");
    dialect.identifiers().push_table(&mut sql, table)?;
    sql.push_str(" (");
    for (position, field) in fields.iter().enumerate() {
        sql.push_str(if position == 0 { "\n" } else { ",\n" });
        push_column(&mut sql, dialect, field)?;
    }
    let mut keys = fields.iter().filter(|field| field.is_key).peekable();
    if keys.peek().is_some() {
        sql.push_str(",\nPRIMARY KEY(");
        let names = keys.map(|key| &*key.name);
        dialect.identifiers().push_list(&mut sql, names)?;
        sql.push(')');
    }
    sql.push(')');
    Ok(sql)
}

pub(super) fn alter_table(
    dialect: &impl Dialect,
    table: &TableId,
    fields: &[&SinkField],
) -> Result<String> {
    let mut sql = String::from("ALTER TABLE ");
    dialect.identifiers().push_table(&mut sql, table)?;
    sql.push(' ');
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            sql.push(',');
        }
        sql.push_str(if fields.len() > 1 { "\nADD " } else { "ADD " });
        push_column(&mut sql, dialect, field)?;
    }
    Ok(sql)
}

/// Name, type, and either the default or whether the column may be null, or
/// both.
fn push_column(sql: &mut String, dialect: &impl Dialect, field: &SinkField) -> Result<()> {
    dialect.identifiers().push(sql, &field.name)?;
    sql.push(' ');
    sql.push_str(&dialect.sql_type(field)?);
    if let Some(default) = field.schema.default_value()
        && !default.is_null()
        && dialect.takes_default(field)
    {
        sql.push_str(" DEFAULT ");
        sql.push_str(&dialect.literal(field, default)?);
        if !field.null_beside_default {
            return Ok(());
        }
    }
    sql.push_str(match field.is_optional() {
        true => " NULL",
        false => " NOT NULL",
    });
    Ok(())
}
