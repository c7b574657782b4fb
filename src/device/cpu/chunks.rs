//! Several slices of one length, cut alike and from both ends, so that two threads can each take
//! chunks from their own end until they meet.

/// Slices of one length, of which some may be empty instead.
#[derive(Debug)]
pub(super) struct Slices<'a, const N: usize>([&'a mut [f32]; N]);

impl<'a, const N: usize> Slices<'a, N> {
    pub(super) fn new(slices: [&'a mut [f32]; N]) -> Self {
        Self(slices)
    }

    /// Takes the first `count` elements of each off.
    pub(super) fn take_first(&mut self, count: usize) -> [&'a mut [f32]; N] {
        self.0.each_mut().map(|slice| {
            let all = std::mem::take(slice);
            let (first, rest) = all.split_at_mut(count.min(all.len()));
            *slice = rest;
            first
        })
    }

    /// Takes the last `count` elements of each off.
    pub(super) fn take_last(&mut self, count: usize) -> [&'a mut [f32]; N] {
        self.0.each_mut().map(|slice| {
            let all = std::mem::take(slice);
            let (rest, last) = all.split_at_mut(all.len().saturating_sub(count));
            *slice = rest;
            last
        })
    }

    /// Chunks of `size` elements, the last shorter; the first slice is not empty.
    pub(super) fn chunks(self, size: usize) -> Chunks<'a, N> {
        Chunks { slices: self, size }
    }
}

/// Chunks of slices.
#[derive(Debug)]
pub(super) struct Chunks<'a, const N: usize> {
    slices: Slices<'a, N>,
    size: usize,
}

impl<const N: usize> Chunks<'_, N> {
    fn left(&self) -> usize {
        self.slices.0.first().map_or(0, |slice| slice.len())
    }
}

impl<'a, const N: usize> Iterator for Chunks<'a, N> {
    type Item = [&'a mut [f32]; N];

    fn next(&mut self) -> Option<Self::Item> {
        (self.left() > 0).then(|| self.slices.take_first(self.size))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.left().div_ceil(self.size);
        (count, Some(count))
    }
}

impl<const N: usize> ExactSizeIterator for Chunks<'_, N> {}

impl<const N: usize> DoubleEndedIterator for Chunks<'_, N> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let left = self.left();
        let last = left - left.saturating_sub(1) / self.size * self.size;
        (left > 0).then(|| self.slices.take_last(last))
    }
}

#[cfg(test)]
mod tests {
    use super::Slices;

    #[test]
    fn chunks_from_either_end_are_those_of_a_slice() {
        for len in [0, 1, 5, 6, 7, 30] {
            for pattern in 0..32u32 {
                let [mut one, mut two] = [(); 2].map(|()| (0..len).map(|i| i as f32).collect());
                let (one, two): (&mut Vec<f32>, &mut Vec<f32>) = (&mut one, &mut two);
                let want: Vec<Vec<f32>> = one.chunks(6).map(<[f32]>::to_vec).collect();
                let mut chunks = Slices::new([one, &mut [], two]).chunks(6);
                let (mut front, mut back) = (Vec::new(), Vec::new());
                assert_eq!(chunks.len(), want.len());
                for step in 0.. {
                    let from_front = pattern >> (step % 5) & 1 == 0;
                    let chunk = if from_front { chunks.next() } else { chunks.next_back() };
                    let Some([one, nothing, two]) = chunk else { break };
                    assert!(nothing.is_empty() && one == two);
                    (if from_front { &mut front } else { &mut back }).push(one.to_vec());
                }
                front.extend(back.into_iter().rev());
                assert_eq!(front, want, "{len}, {pattern:b}");
            }
        }
    }
}
