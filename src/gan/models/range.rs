//! How values are seen by networks.

/// Range of the values that networks see and generators put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelRange {
    /// \[0, 1\], from a sigmoid.
    Unit,
    /// \[−1, 1\], from a tanh.
    Symmetric,
    /// Any number: coordinates of points, which are taken as they are.
    Unbounded,
}

impl PixelRange {
    /// Its ends.
    pub fn bounds(self) -> [f32; 2] {
        match self {
            PixelRange::Unit => [0.0, 1.0],
            PixelRange::Symmetric => [-1.0, 1.0],
            PixelRange::Unbounded => [f32::NEG_INFINITY, f32::INFINITY],
        }
    }

    /// A byte as the networks see it.
    pub fn from_byte(self, byte: u8) -> f32 {
        match self {
            PixelRange::Unit => f32::from(byte) / 255.0,
            PixelRange::Symmetric => f32::from(byte) / 127.5 - 1.0,
            PixelRange::Unbounded => f32::from(byte),
        }
    }

    /// The nearest byte.
    pub fn to_byte(self, value: f32) -> u8 {
        let scaled = match self {
            PixelRange::Unit => value * 255.0,
            PixelRange::Symmetric => (value + 1.0) * 127.5,
            PixelRange::Unbounded => value,
        };
        // `as` saturates, and takes NaN to 0.
        scaled.round() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        for range in [PixelRange::Unit, PixelRange::Symmetric, PixelRange::Unbounded] {
            assert!((0..=255).all(|byte| range.to_byte(range.from_byte(byte)) == byte));
            assert_eq!((range.to_byte(-999.0), range.to_byte(999.0)), (0, 255));
        }
        assert_eq!(PixelRange::Symmetric.from_byte(0), -1.0);
    }
}
