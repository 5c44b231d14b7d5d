//! The classes of the images in a Parquet file: its column `label`.

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::parquet::Column;

/// What the column is called.
const NAME: &str = "label";

/// The column, and how its values are meant.
pub(super) struct LabelColumn {
    column: usize,
    values: Values,
    /// Names of the classes that whole numbers stand for.
    names: Vec<String>,
}

/// Of which type values are.
#[derive(Clone, Copy)]
enum Values {
    /// Whole numbers of up to 32 bits.
    Narrow { signed: bool },
    /// Whole numbers of 64 bits.
    Wide { signed: bool },
    /// Names.
    Text,
}

impl LabelColumn {
    /// Among the leaves of a schema.
    ///
    /// # Errors
    /// Why there is none that tells classes.
    pub(super) fn find(schema: &SchemaDescriptor, names: Vec<String>) -> Result<Self, String> {
        let at = |column: usize| schema.column(column);
        let of_name = |&column: &usize| at(column).path().parts().first().is_some_and(|first| first == NAME);
        let Some(column) = (0..schema.num_columns()).find(of_name) else {
            return Err(format!("it has no column `{NAME}`"));
        };
        let found = at(column);
        let values = match (found.physical_type(), signed(&found)) {
            (Type::INT32, Some(signed)) => Some(Values::Narrow { signed }),
            (Type::INT64, Some(signed)) => Some(Values::Wide { signed }),
            (Type::BYTE_ARRAY, _) => Some(Values::Text),
            _ => None,
        };
        match values.filter(|_| found.path().parts().len() == 1 && found.max_rep_level() == 0) {
            Some(values) => Ok(Self { column, values, names }),
            None => Err(format!(
                "its column `{}` is of type {}: classes are whole numbers or strings, one a row",
                found.path().string(),
                found.physical_type()
            )),
        }
    }
}

/// Whether whole numbers have a sign; `None` of what is a date, a time or a decimal fraction.
fn signed(column: &ColumnDescriptor) -> Option<bool> {
    use ConvertedType::{INT_8, INT_16, INT_32, INT_64, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(integer)), _) => Some(integer.is_signed),
        (None, NONE | INT_8 | INT_16 | INT_32 | INT_64) => Some(true),
        // Of files older than logical types.
        (None, UINT_8 | UINT_16 | UINT_32 | UINT_64) => Some(false),
        _ => None,
    }
}

/// The values of the column in a group of rows.
pub(super) struct Labels<'a> {
    reader: Reader,
    names: &'a [String],
}

enum Reader {
    Narrow(Column<Int32Type>, bool),
    Wide(Column<Int64Type>, bool),
    Text(Column<ByteArrayType>),
}

impl<'a> Labels<'a> {
    pub(super) fn open(group: &dyn RowGroupReader, label: &'a LabelColumn) -> Result<Self, ParquetError> {
        let reader = match label.values {
            Values::Narrow { signed } => Reader::Narrow(Column::open(group, label.column)?, signed),
            Values::Wide { signed } => Reader::Wide(Column::open(group, label.column)?, signed),
            Values::Text => Reader::Text(Column::open(group, label.column)?),
        };
        Ok(Self { reader, names: &label.names })
    }

    /// The classes of the next rows: fewer at the end, `None` where a row has none.
    pub(super) fn next(&mut self, count: usize) -> Result<Vec<Option<String>>, ParquetError> {
        let names = self.names;
        let number = |number: i128| {
            let name = usize::try_from(number).ok().and_then(|number| names.get(number));
            name.map_or_else(|| number.to_string(), Clone::clone)
        };
        Ok(match &mut self.reader {
            Reader::Narrow(column, signed) => {
                let whole = |value: i32| if *signed { value.into() } else { value.cast_unsigned().into() };
                column.next(count)?.into_iter().map(|value| Some(number(whole(value?)))).collect()
            }
            Reader::Wide(column, signed) => {
                let whole = |value: i64| if *signed { value.into() } else { value.cast_unsigned().into() };
                column.next(count)?.into_iter().map(|value| Some(number(whole(value?)))).collect()
            }
            Reader::Text(column) => {
                let text = |value: parquet::data_type::ByteArray| Some(value.as_utf8().ok()?.to_owned());
                column.next(count)?.into_iter().map(|value| text(value?).filter(|text| !text.is_empty())).collect()
            }
        })
    }
}
