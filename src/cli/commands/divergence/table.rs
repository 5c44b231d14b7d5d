//! Probabilities in a text file: a number a line, or all in one line.

use super::input::{InputError, numbers};

/// The numbers of a file. A byte-order mark and a line of words above a column are passed over.
///
/// # Errors
/// [`InputError`] when a field is not a number, or which numbers are meant is not clear: in several lines of several columns, or with
/// decimal commas.
pub(super) fn probabilities(path: &str, content: &str) -> Result<Vec<f64>, InputError> {
    let unusable =
        |reason: String| InputError::Format { path: path.to_owned(), expected: "list of probabilities", reason };
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let lines: Vec<&str> = content.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.iter().any(|line| has_decimal_commas(line)) {
        return Err(unusable("its numbers have decimal commas: write them with points, as 0.2;0.8".into()));
    }
    let is_words = |line: &&str| fields(line).all(|field| field.parse::<f64>().is_err());
    let heading = usize::from(lines.len() > 1 && lines.first().is_some_and(is_words));
    let rows = &lines[heading..];
    let columns = rows.iter().map(|line| fields(line).count()).max().unwrap_or(0);
    if rows.len() > 1 && columns > 1 {
        let rows = rows.len();
        return Err(unusable(format!(
            "it has {rows} lines of up to {columns} columns, and which of them are the probabilities is not clear: name \
             the column, or keep it alone"
        )));
    }
    numbers(&rows.join("\n"))
}

/// The numbers of one column, named by its heading or by its number from 1.
///
/// # Errors
/// [`InputError`] when there is no such column, or a field of it is not a number.
pub(super) fn column(path: &str, content: &str, column: &str) -> Result<Vec<f64>, InputError> {
    let unusable =
        |reason: String| InputError::Format { path: path.to_owned(), expected: "table of probabilities", reason };
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let mut lines = content.lines().filter(|line| !line.trim().is_empty()).peekable();
    let first = lines.peek().copied().unwrap_or_default();
    let separator = ['\t', ';', ','].into_iter().find(|separator| first.contains(*separator)).unwrap_or(' ');
    let split = |line: &str| -> Vec<String> {
        line.trim().split(separator).map(|field| field.trim().trim_matches('"').to_owned()).collect()
    };
    let headings = split(first);
    let has_headings = headings.iter().all(|field| field.parse::<f64>().is_err());
    let by_number = || column.parse::<usize>().ok().filter(|number| (1..=headings.len()).contains(number));
    let by_name = has_headings.then(|| headings.iter().position(|heading| heading == column)).flatten();
    let index = by_name.or_else(|| by_number().map(|number| number - 1)).ok_or_else(|| {
        let known = if has_headings { headings.join(", ") } else { format!("1 to {}", headings.len()) };
        unusable(format!("there is no column `{column}`: it has {known}"))
    })?;
    if has_headings {
        lines.next();
    }
    let number = |(line, text): (usize, &str)| {
        let fields = split(text);
        let field = fields.get(index).map_or("", String::as_str);
        let line = line + 1 + usize::from(has_headings);
        field.parse().map_err(|_| unusable(format!("column `{column}` of line {line} is `{field}`, not a number")))
    };
    lines.enumerate().map(number).collect()
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| matches!(c, ',' | ';') || c.is_whitespace()).filter(|field| !field.is_empty())
}

/// Whether fields that semicolons separate are numbers with commas: `0,2;0,8`.
fn has_decimal_commas(line: &str) -> bool {
    let is_number = |field: &str| field.trim().replacen(',', ".", 1).parse::<f64>().is_ok();
    line.contains(';') && line.contains(',') && line.split(';').filter(|field| !field.trim().is_empty()).all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Vec<f64>, String> {
        probabilities("p.csv", content).map_err(|error| error.to_string())
    }

    #[test]
    fn one_column_or_one_line_is_a_list() {
        for content in [
            "0.2\n0.8\n",
            "0.2,0.8",
            "0.2;0.8\r\n",
            "\u{feff}0.2\n0.8",
            "p\n0.2\n0.8\n",
            "\n  0.2\n\n0.8",
            "0.2 0.8",
            "0.2\t0.8",
        ] {
            assert_eq!(read(content), Ok(vec![0.2, 0.8]), "{content:?}");
        }
    }

    #[test]
    fn columns_are_named_or_counted() {
        let of = |content: &str, name: &str| column("p.csv", content, name).map_err(|error| error.to_string());
        let tables = ["\u{feff}x,p\n0,0.2\n1,0.8\n", "x\tp\r\n0\t0.2\r\n\r\n1\t0.8", "x; \"p\"\n0;0.2\n1;0.8"];
        for table in tables {
            assert_eq!(of(table, "p"), Ok(vec![0.2, 0.8]), "{table:?}");
            assert_eq!(of(table, "2"), Ok(vec![0.2, 0.8]), "{table:?}");
        }
        assert_eq!(of("0 0.2\n1 0.8", "2"), Ok(vec![0.2, 0.8]));
        assert!(of(tables[0], "q").unwrap_err().contains("no column `q`: it has x, p"));
        assert!(of("0,0.2\n", "3").unwrap_err().contains("it has 1 to 2"));
        assert!(of("x,p\n0,0.2\n1\n", "p").unwrap_err().contains("of line 3 is ``"));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for content in ["0,0.2\n1,0.8\n", "point,mass\n0,0.2\n1,0.8\n", "0.2 0.3\n0.5\n", "0.2\n0.3 0.5"] {
            let error = read(content).unwrap_err();
            assert!(error.contains("p.csv") && error.contains("2 columns"), "{content:?}: {error}");
        }
        assert!(read("0,2;0,8").unwrap_err().contains("decimal commas"));
        assert!(read("0,2;0,8\n").unwrap_err().contains("0.2;0.8"));
        assert!(read("0.2\nx\n0.8").unwrap_err().contains("`x`, not a number"));
        assert!(read("p").unwrap_err().contains("`p`, not a number"), "words alone are not a heading");
    }
}
