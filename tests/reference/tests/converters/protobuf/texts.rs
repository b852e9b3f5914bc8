//! Schemas that were written by hand, as other producers register them.

use super::Side;

/// All types in one message.
const SCALARS: &str = r#"
syntax = "proto3";
package a.b;
message M {
  double d = 1;
  float f = 2;
  int32 i32 = 3;
  int64 i64 = 4;
  uint32 u32 = 5;
  uint64 u64 = 6;
  sint32 s32 = 7;
  sint64 s64 = 8;
  fixed32 f32 = 9;
  fixed64 f64 = 10;
  sfixed32 sf32 = 11;
  sfixed64 sf64 = 12;
  bool b = 13;
  string s = 14;
  bytes y = 15;
  optional int32 oi = 16;
  optional string os = 17;
}
"#;

const REPEATED: &str = r#"
syntax = "proto3";
message M {
  repeated double d = 1;
  repeated float f = 2;
  repeated int32 i32 = 3;
  repeated sint64 s64 = 4 [packed = false];
  repeated uint32 u32 = 5;
  repeated fixed64 f64 = 6;
  repeated bool b = 7;
  repeated string s = 8;
  repeated bytes y = 9;
  repeated E e = 10;
  repeated N n = 11;
  map<string, int32> counts = 12;
  map<int64, N> by_id = 13;
  map<bool, E> flags = 14;
  enum E { ZERO = 0; ONE = 1; ALSO_ONE = 3; MINUS = -1; }
  message N { int32 a = 1; string b = 2; O child = 3; }
  message O { int64 c = 1; repeated string d = 2; }
}
"#;

const NESTED: &str = r#"
syntax = "proto3";
package x;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/duration.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";
import "confluent/type/decimal.proto";
import "confluent/meta.proto";
message M {
  google.protobuf.Timestamp at = 1;
  google.type.Date day = 2;
  .google.type.TimeOfDay time = 3;
  confluent.type.Decimal amount = 4 [(confluent.field_meta) = {
    params: [{ value: "8", key: "precision" }, { value: "2", key: "scale" }]
  }];
  google.protobuf.StringValue text = 5;
  google.protobuf.UInt32Value count = 6;
  google.protobuf.Duration span = 7;
  Inner inner = 8;
  Inner again = 9;
  repeated Inner more = 10;
  int32 tiny = 11 [(confluent.field_meta).params = { key: "connect.type", value: "int8" }];
  int32 small = 12 [(confluent.field_meta) = { params: { key: "connect.type" value: "int16" } }];
  repeated google.protobuf.Timestamp times = 13;
  message Inner { sint32 a = 1; Other other = 2; optional Other last = 3; }
}
message Other { string s = 1; bytes b = 2; }
"#;

const ONEOFS: &str = r#"
syntax = "proto3";
message M {
  string before = 1;
  oneof first { int32 i = 2; string s = 3; N n = 4; Color color = 5; }
  oneof second_one { bool b = 6; bytes y = 7; }
  string after = 8;
  optional N maybe = 9;
  message N { int64 x = 1; oneof deep { string a = 2; int32 c = 3; } }
}
enum Color { RED = 0; GREEN = 1; }
"#;

const PROTO2: &str = r#"
syntax = "proto2";
package old;
message M {
  optional int32 a = 1;
  optional string s = 2 [default = "dflt"];
  optional sint64 n = 3 [default = -7];
  repeated int32 list = 4;
  repeated int32 packed = 5 [packed = true];
  optional Kind kind = 6 [default = TWO];
  optional Kind other = 7;
  optional P child = 8;
  message P { optional int32 p = 1; optional string q = 2 [default = "q"]; }
  repeated Kind kinds = 9;
  optional bool flag = 10 [default = true];
  optional double d = 11 [default = 1.5];
  extensions 100 to max;
  enum Kind { ONE = 1; TWO = 2; }
  oneof choice { string x = 12; int32 y = 13; }
  optional bytes raw = 14;
}
extend M { optional string more = 100; }
"#;

const REQUIRED: &str = r#"
message M {
  required int32 a = 1;
  optional N n = 2;
  message N { optional string s = 1; }
}
"#;

/// Schemas with many fields of small numbers.
pub(super) const ALL: &[&str] = &[SCALARS, REPEATED, ONEOFS, PROTO2];

#[test]
fn logical_types_and_messages_are_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let data: [&[u8]; 16] = [
        &[],
        b"\x0a\x06\x08\x80\x9d\xb0\xb8\x06",
        b"\x0a\x04\x08\x05\x10\x07",
        b"\x12\x07\x08\xe8\x0f\x10\x02\x18\x1d",
        b"\x12\x07\x08\xe7\x0f\x10\x02\x18\x1d",
        b"\x12\x00",
        b"\x12\x04\x08\xe8\x0f\x10\x0d",
        b"\x1a\x08\x08\x17\x10\x3b\x18\x3b\x20\x05",
        b"\x1a\x02\x08\x18",
        b"\x22\x08\x0a\x02\x04\xd2\x10\x04\x18\x02",
        b"\x22\x08\x0a\x02\x04\xd2\x10\x02\x18\x02",
        b"\x22\x02\x10\x02",
        b"\x2a\x03\x0a\x01x\x32\x02\x08\x05\x3a\x04\x08\x01\x10\x02",
        b"\x2a\x00\x32\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x42\x07\x08\x03\x12\x03\x0a\x01a\x42\x04\x12\x02\x12\x00\x4a\x00\x52\x02\x08\x04\x52\x00",
        b"\x58\xff\x02\x60\x85\x80\x08\x6a\x02\x08\x01\x6a\x00",
    ];
    let configs: [&[(&str, &str)]; 4] = [
        &[],
        &[("enhanced.protobuf.schema.support", "true")],
        &[("wrapper.for.nullables", "true")],
        &[("optional.for.nullables", "true")],
    ];
    for config in configs {
        for data in data {
            side.compare_read_as(config, NESTED, &[0], data)?;
        }
    }
    side.finish()
}

#[test]
fn settings_change_what_is_read_alike() -> anyhow::Result<()> {
    let configs: [&[(&str, &str)]; 5] = [
        &[("enhanced.protobuf.schema.support", "true")],
        &[("wrapper.for.nullables", "true")],
        &[("optional.for.nullables", "true")],
        &[("optional.for.proto2", "false")],
        &[("wrapper.for.raw.primitives", "false")],
    ];
    let data: [&[u8]; 4] = [&[], b"\x08\x02", b"\x08\x01\x12\x01x", b"\x50\x01\x5a\x00"];
    for text in [SCALARS, REPEATED, ONEOFS, PROTO2, REQUIRED] {
        let mut side = Side::new()?;
        for config in configs {
            for data in data {
                side.compare_read_as(config, text, &[0], data)?;
            }
        }
        side.finish()?;
    }
    Ok(())
}

#[test]
fn messages_are_found_by_their_indexes_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let text = r#"
        syntax = "proto3";
        package p.q;
        enum E { A = 0; }
        message First { int32 a = 1; }
        message Second {
          message Deep { message Deeper { string s = 1; } Deeper d = 1; }
          enum F { B = 0; }
          message Other { map<string, Deep> m = 1; int32 x = 2; }
        }
    "#;
    // Zigzag: how many, then each.
    let indexes: [&[u8]; 9] = [
        &[0],
        &[2, 0],
        &[2, 2],
        &[4, 2, 0],
        &[6, 2, 0, 0],
        &[4, 2, 2],
        &[2, 4],
        &[4, 0, 0],
        &[1],
    ];
    for indexes in indexes {
        for data in [&b"\x08\x05"[..], b"\x0a\x01x", b""] {
            side.compare_read_as(&[], text, indexes, data)?;
        }
    }
    side.finish()
}

#[test]
fn names_are_found_alike() -> anyhow::Result<()> {
    let texts = [
        // The innermost type of a name counts.
        "syntax = \"proto3\"; package a; message M { X x = 1; message X { int32 i = 1; } }
         message X { string s = 1; }",
        "syntax = \"proto3\"; package a; message M { a.X x = 1; message X { int32 i = 1; } }
         message X { string s = 1; }",
        "syntax = \"proto3\"; package a.b; message M { b.X x = 1; } message X { string s = 1; }",
        "syntax = \"proto3\"; package a; message M { .a.M.X x = 1; message X { int32 i = 1; } }",
        "syntax = \"proto3\"; message M { map<string, X> my_map = 1; message X { int32 i = 1; } }",
        "syntax = \"proto3\"; message M { E e = 1; } enum E { A = 0; B = 1; }",
        "message M { optional int32 i = 1; }",
        "// nothing but a message\nmessage Empty { }",
    ];
    for text in texts {
        let mut side = Side::new()?;
        for data in [
            &b""[..],
            b"\x0a\x02\x08\x01",
            b"\x0a\x03\x0a\x01x",
            b"\x08\x01",
        ] {
            side.compare_read_as(&[], text, &[0], data)?;
        }
        side.finish()?;
    }
    Ok(())
}
