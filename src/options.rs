//! Builder methods of structs of options, which are `#[non_exhaustive]`: they can gain fields without breaking who uses them.

/// A method for each named field of a struct of options, which takes the struct and gives it with another value there.
macro_rules! builders {
    ($Options:ident { $($with:ident $field:ident: $Value:ty),+ $(,)? }) => {
        impl $Options {
            $(
                #[doc = concat!("The same with this [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                pub fn $with(self, $field: $Value) -> Self {
                    Self { $field, ..self }
                }
            )+
        }
    };
}

pub(crate) use builders;
