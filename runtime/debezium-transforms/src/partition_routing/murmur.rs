//! MurmurHash3 as Debezium has it (`io.debezium.util.MurmurHash3`): the upper
//! half of 64 bits, with Infinispan's constants.

const SEED: u64 = 9001;

struct State {
    h1: u64,
    h2: u64,
    c1: u64,
    c2: u64,
}

impl State {
    fn mix(&mut self, k1: u64, k2: u64) {
        let k1 = k1.wrapping_mul(self.c1).rotate_left(23);
        self.h1 ^= k1.wrapping_mul(self.c2);
        self.h1 = self.h1.wrapping_add(self.h2);
        self.h2 = self.h2.rotate_left(41);
        self.h2 ^= k2
            .wrapping_mul(self.c2)
            .rotate_left(23)
            .wrapping_mul(self.c1);
        self.h2 = self.h2.wrapping_add(self.h1);
        self.h1 = self.h1.wrapping_mul(3).wrapping_add(0x52dc_e729);
        self.h2 = self.h2.wrapping_mul(3).wrapping_add(0x3849_5ab5);
        self.c1 = self.c1.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        self.c2 = self.c2.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }

    fn add_each(&mut self) {
        self.h1 = self.h1.wrapping_add(self.h2);
        self.h2 = self.h2.wrapping_add(self.h1);
    }
}

/// The hash of bytes.
pub(super) fn hash(bytes: &[u8]) -> i32 {
    let mut state = State {
        h1: 0x9368_e53c_2f6a_f274 ^ SEED,
        h2: 0x586d_cd20_8f7c_d3fd ^ SEED,
        c1: 0x87c3_7b91_1142_53d5,
        c2: 0x4cf5_ad43_2745_937f,
    };
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        let (low, high) = block.split_at(8);
        state.mix(word(low), word(high));
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        let (low, high) = rest.split_at(rest.len().min(8));
        state.mix(signed_word(low), signed_word(high));
    }
    state.h2 ^= bytes.len() as u64;
    state.add_each();
    state.h1 = finish(state.h1);
    state.h2 = finish(state.h2);
    state.add_each();
    ((state.h1 >> 32) as u32).cast_signed()
}

/// Up to eight bytes, the first one lowest.
fn word(bytes: &[u8]) -> u64 {
    let places = bytes.iter().zip((0..64).step_by(8));
    places.fold(0, |word, (byte, shift)| word | u64::from(*byte) << shift)
}

/// The same of the last bytes, each of which has a sign in Java.
fn signed_word(bytes: &[u8]) -> u64 {
    let places = bytes.iter().zip((0..64).step_by(8));
    places.fold(0, |word, (byte, shift)| {
        word ^ i64::from(byte.cast_signed()).cast_unsigned() << shift
    })
}

fn finish(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}
