//! What can be read off the codes of images.

use ndarray::{Array1, Array2, Axis, Zip};

use super::error::GanError;
use super::tensor::Tensor;
use crate::linalg::{LinalgError, eigh};

/// Added to the variances of the codes, as a share of their mean: keeps directions in which nothing varies out of the fit.
const RIDGE: f64 = 1e-6;

/// A linear probe of codes (Alain and Bengio 2016): the share of samples whose class is told by a linear classifier that has
/// learnt from all other samples.
///
/// The classifier is the least-squares fit of one-hot classes y to the codes and a constant, with a ridge of 1e-6 of their mean
/// variance; the class is that of its largest output. What it says of sample i without having seen it follows from the fit ŷ of
/// all and the leverage hᵢ: ŷᵢ − hᵢ/(1 − hᵢ)·(yᵢ − ŷᵢ). Nothing is drawn.
///
/// `codes` is N×d in any shape, one class for each of the N, of which there are two at least. In \[0, 1\].
///
/// ```
/// use gan_metrics::gan::{Tensor, linear_probe};
///
/// let codes = Tensor::new(&[4, 1], vec![-1.0, -1.1, 1.0, 1.1])?;
/// assert_eq!(linear_probe(&codes, &[0, 0, 1, 1])?, 1.0);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`GanError::Shape`] when there are fewer than two samples, the classes are not one for each, or a code is not finite.
pub fn linear_probe(codes: &Tensor, classes: &[usize]) -> Result<f64, GanError> {
    let count = codes.shape().first().copied().unwrap_or_default();
    if count != classes.len() {
        return Err(GanError::shape("linear probe", format!("{count} codes and {} classes", classes.len())));
    }
    if count < 2 {
        return Err(GanError::shape("linear probe", format!("{count} codes: every one is judged by the others")));
    }
    let values = codes.data().iter().map(|&value| f64::from(value)).collect();
    let codes = Array2::from_shape_vec((count, codes.len() / count), values).expect("a tensor is full");
    let told = left_out(codes, classes)
        .map_err(|error| GanError::shape("linear probe", format!("the codes cannot be fitted: {error}")))?;
    let told = Tensor::new(&[count, told.ncols()], told.iter().copied().collect())?.argmax_of_rows();
    let right = told.iter().zip(classes).filter(|(told, class)| told == class).count();
    Ok(right as f64 / count as f64)
}

/// What the fit to all other rows says of each row.
fn left_out(mut codes: Array2<f64>, classes: &[usize]) -> Result<Array2<f64>, LinalgError> {
    let count = classes.len() as f64;
    let most = classes.iter().max().map_or(0, |most| most + 1);
    let wanted =
        Array2::from_shape_fn((classes.len(), most), |(row, class)| f64::from(u8::from(classes[row] == class)));
    if let Some(mean) = codes.mean_axis(Axis(0)) {
        codes -= &mean;
    }
    let scatter = eigh(&(codes.t().dot(&codes) / count))?;
    let ridge = RIDGE * scatter.values.mean().unwrap_or_default();
    // Orthonormal but for the ridge: the fit is their product with their transpose.
    let scales: Array1<f64> = scatter.values.mapv(|value| ((value.max(0.0) + ridge) * count).sqrt());
    let directions = codes.dot(&scatter.vectors) / scales.mapv(|scale| if scale > 0.0 { scale } else { 1.0 });
    let mut told =
        directions.dot(&directions.t().dot(&wanted)) + &wanted.mean_axis(Axis(0)).expect("two rows at least");
    Zip::from(told.rows_mut()).and(wanted.rows()).and(directions.rows()).for_each(|mut told, wanted, direction| {
        let leverage = (1.0 / count + direction.dot(&direction)).min(1.0 - f64::EPSILON);
        told.zip_mut_with(&wanted, |told, wanted| *told -= leverage / (1.0 - leverage) * (wanted - *told));
    });
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::random::Random;

    /// Codes of three classes around three points, whose clouds overlap.
    fn clouds(count: usize) -> (Tensor, Vec<usize>) {
        let classes: Vec<usize> = (0..count).map(|row| row % 3).collect();
        let noise: Tensor = Random::new(5).normal(&[count, 3], 0.0, 0.7);
        let centre = |row: usize, column: usize| if column == row % 3 { 1.0 } else { 0.0 };
        (Tensor::from_fn(&[count, 3], |i| noise.data()[i] + centre(i / 3, i % 3)), classes)
    }

    #[test]
    fn what_is_said_of_a_sample_comes_from_a_fit_without_it() {
        const COUNT: usize = 12;
        let (codes, classes) = clouds(COUNT);
        let all = Array2::from_shape_fn((COUNT, 3), |(row, column)| f64::from(codes.data()[3 * row + column]));
        let told = left_out(all.clone(), &classes).unwrap();
        for left in 0..COUNT {
            // The normal equations of the others, with a constant, solved by eigenvalues.
            let rest: Vec<usize> = (0..COUNT).filter(|row| *row != left).collect();
            let design = Array2::from_shape_fn((COUNT - 1, 4), |(row, column)| match column {
                3 => 1.0,
                column => all[[rest[row], column]],
            });
            let normal = eigh(&design.t().dot(&design)).unwrap();
            let asked = Array1::from_shape_fn(4, |column| if column == 3 { 1.0 } else { all[[left, column]] });
            let weights = (asked.dot(&normal.vectors) / &normal.values).dot(&normal.vectors.t()).dot(&design.t());
            for class in 0..3 {
                let expected: f64 =
                    rest.iter().zip(&weights).filter(|(row, _)| classes[**row] == class).map(|(_, w)| w).sum();
                // The ridge is there in one of the two only.
                assert!((told[[left, class]] - expected).abs() < 1e-4, "{left} {class}: {told} {expected}");
            }
        }
    }

    #[test]
    fn classes_that_a_plane_divides_are_told_and_others_guessed() {
        let (codes, classes) = clouds(300);
        let share = linear_probe(&codes, &classes).unwrap();
        assert!((0.6..0.95).contains(&share), "{share}");
        let noise: Tensor = Random::new(6).normal(&[300, 3], 0.0, 1.0);
        let share = linear_probe(&noise, &classes).unwrap();
        assert!((0.2..0.45).contains(&share), "{share}");
    }

    #[test]
    fn codes_that_never_vary_tell_nothing() {
        let constant = Tensor::full(&[6, 2], 1.5);
        // Without a sample its class is the rarer one.
        assert_eq!(linear_probe(&constant, &[0, 1, 0, 1, 0, 1]).unwrap(), 0.0);
        assert_eq!(linear_probe(&constant, &[0, 0, 0, 0, 0, 1]).unwrap(), 5.0 / 6.0);
    }

    #[test]
    fn bad_input_is_named() {
        let codes = Tensor::full(&[3, 2], 1.0);
        let message = |codes: &Tensor, classes: &[usize]| linear_probe(codes, classes).unwrap_err().to_string();
        assert!(message(&codes, &[0, 1]).contains("3 codes and 2 classes"));
        assert!(message(&Tensor::full(&[3, 2], f32::NAN), &[0, 1, 0]).contains("cannot be fitted"));
        assert!(message(&Tensor::full(&[1, 2], 1.0), &[0]).contains("1 codes: every one is judged by the others"));
    }
}
