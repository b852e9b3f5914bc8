//! The classes that keys are made of, as a stream describes them.

use super::{HAS_FIELDS, HAS_MORE};

/// A class. The numbers are those of its versions in all releases of Java, or
/// of the driver.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) name: &'static str,
    /// `serialVersionUID`.
    pub(super) version: u64,
    pub(super) flags: u8,
    pub(super) fields: &'static [Field],
    pub(super) parent: Option<&'static Class>,
}

/// A field: the letter of its type, its name, and what it refers to, if that.
#[derive(Debug)]
pub(super) struct Field(
    pub(super) u8,
    pub(super) &'static str,
    pub(super) Option<&'static str>,
);

const fn class(
    name: &'static str,
    version: u64,
    fields: &'static [Field],
    parent: Option<&'static Class>,
) -> Class {
    Class {
        name,
        version,
        flags: HAS_FIELDS,
        fields,
        parent,
    }
}

const fn more(class: Class) -> Class {
    Class {
        flags: HAS_FIELDS | HAS_MORE,
        ..class
    }
}

static NUMBER: Class = class("java.lang.Number", 0x86AC_951D_0B94_E08B, &[], None);

pub(super) static OBJECTS: Class = class("[Ljava.lang.Object;", 0x90CE_589F_1073_296C, &[], None);

pub(super) static BYTES: Class = class("[B", 0xACF3_17F8_0608_54E0, &[], None);

pub(super) static BOOLEAN: Class = class(
    "java.lang.Boolean",
    0xCD20_7280_D59C_FAEE,
    &[Field(b'Z', "value", None)],
    None,
);

pub(super) static SHORT: Class = class(
    "java.lang.Short",
    0x684D_3713_3460_DA52,
    &[Field(b'S', "value", None)],
    Some(&NUMBER),
);

pub(super) static INTEGER: Class = class(
    "java.lang.Integer",
    0x12E2_A0A4_F781_8738,
    &[Field(b'I', "value", None)],
    Some(&NUMBER),
);

pub(super) static LONG: Class = class(
    "java.lang.Long",
    0x3B8B_E490_CC8F_23DF,
    &[Field(b'J', "value", None)],
    Some(&NUMBER),
);

pub(super) static FLOAT: Class = class(
    "java.lang.Float",
    0xDAED_C9A2_DB3C_F0EC,
    &[Field(b'F', "value", None)],
    Some(&NUMBER),
);

pub(super) static DOUBLE: Class = class(
    "java.lang.Double",
    0x80B3_C24A_296B_FB04,
    &[Field(b'D', "value", None)],
    Some(&NUMBER),
);

pub(super) static DECIMAL: Class = more(class(
    "java.math.BigDecimal",
    0x54C7_1557_F981_284F,
    &[
        Field(b'I', "scale", None),
        Field(b'L', "intVal", Some("Ljava/math/BigInteger;")),
    ],
    Some(&NUMBER),
));

pub(super) static BIG_INTEGER: Class = more(class(
    "java.math.BigInteger",
    0x8CFC_9F1F_A93B_FB1D,
    &[
        Field(b'I', "bitCount", None),
        Field(b'I', "bitLength", None),
        Field(b'I', "firstNonzeroByteNum", None),
        Field(b'I', "lowestSetBit", None),
        Field(b'I', "signum", None),
        Field(b'[', "magnitude", Some("[B")),
    ],
    Some(&NUMBER),
));

pub(super) static UUID: Class = class(
    "java.util.UUID",
    0xBC99_03F7_986D_852F,
    &[
        Field(b'J', "leastSigBits", None),
        Field(b'J', "mostSigBits", None),
    ],
    None,
);

static UTIL_DATE: Class = more(class("java.util.Date", 0x686A_8101_4B59_7419, &[], None));

pub(super) static DATE: Class = class(
    "java.sql.Date",
    0x14FA_4668_3F35_6697,
    &[],
    Some(&UTIL_DATE),
);

pub(super) static PG_OBJECT: Class = class(
    "org.postgresql.util.PGobject",
    0x4BF8_95CA_AC6F_6444,
    &[
        Field(b'L', "type", Some("Ljava/lang/String;")),
        Field(b'L', "value", Some("Ljava/lang/String;")),
    ],
    None,
);
