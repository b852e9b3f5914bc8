//! The built-in schema `com.example.kafka.connect.User`, in use for every
//! endpoint.

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Type};

/// The field that is the record's key.
pub(super) const KEY_FIELD: &str = "id";

/// The schema of a user: all fields required, names and order as existing topics
/// have them.
pub(super) fn schema() -> SchemaRef {
    let geo = named("Geo").strings(&["lat", "lng"]).build();
    let address = named("Address")
        .strings(&["street", "suite", "city", "zipcode"])
        .field("geo", geo)
        .build();
    let company = named("Company")
        .strings(&["name", "catchPhrase", "bs"])
        .build();
    named("User")
        .field(KEY_FIELD, Schema::primitive(Type::Int32, false))
        .strings(&["name", "username", "email"])
        .field("address", address)
        .strings(&["phone", "website"])
        .field("company", company)
        .build()
}

fn named(name: &str) -> SchemaBuilder {
    SchemaBuilder::structure().name(format!("com.example.kafka.connect.{name}"))
}

trait Strings {
    /// Appends a required STRING field of each of these names.
    fn strings(self, names: &[&'static str]) -> Self;
}

impl Strings for SchemaBuilder {
    fn strings(self, names: &[&'static str]) -> Self {
        names.iter().fold(self, |builder, name| {
            builder.field(*name, Schema::primitive(Type::String, false))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(schema: &Schema) -> String {
        let fields: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| {
                assert!(!field.schema.is_optional());
                match field.schema.kind() {
                    Type::Struct => format!("{}:{}", field.name, describe(&field.schema)),
                    kind => format!("{}:{kind}", field.name),
                }
            })
            .collect();
        format!("{}{{{}}}", schema.name().unwrap(), fields.join(","))
    }

    #[test]
    fn names_and_order_are_those_of_existing_topics() {
        assert_eq!(
            describe(&schema()).replace("com.example.kafka.connect.", ""),
            "User{id:INT32,name:STRING,username:STRING,email:STRING,\
             address:Address{street:STRING,suite:STRING,city:STRING,zipcode:STRING,\
             geo:Geo{lat:STRING,lng:STRING}},phone:STRING,website:STRING,\
             company:Company{name:STRING,catchPhrase:STRING,bs:STRING}}"
        );
    }
}
