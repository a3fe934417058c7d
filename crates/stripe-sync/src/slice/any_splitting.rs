//! Reads lists with splits at random moments and checks that every row is seen. The lists have any
//! order, or reorder the rows of a second between two requests.

use proptest::prelude::*;

use super::*;

/// A list with a fixed order, or one sorted by time whose order within each second changes with
/// every request.
enum List {
    Still(Vec<CursorRow>),
    Reordered(Vec<CursorRow>),
}

impl List {
    fn new(times: &[i64], size: usize, reordered: bool) -> List {
        let mut rows: Vec<_> = times
            .iter()
            .enumerate()
            .map(|(i, t)| CursorRow { id: format!("r{i}"), created: Some(*t) })
            .collect();
        if !reordered {
            return List::Still(rows);
        }
        // A second with more rows than a page has no usable cursors.
        rows.sort_by_key(|r| std::cmp::Reverse(r.created));
        let crowd = |rows: &[CursorRow]| rows.iter().all(|r| r.created == rows[0].created);
        while let Some(at) = rows.windows(size + 1).position(crowd) {
            rows.remove(at);
        }
        List::Reordered(rows)
    }

    fn in_request(&self, request: u64) -> Vec<CursorRow> {
        match self {
            List::Still(rows) => rows.clone(),
            List::Reordered(rows) => {
                let mut rows = rows.clone();
                rows.sort_by_cached_key(|r| {
                    let mut hasher = std::hash::DefaultHasher::new();
                    std::hash::Hash::hash(&(request, &r.id), &mut hasher);
                    (std::cmp::Reverse(r.created), std::hash::Hasher::finish(&hasher))
                });
                rows
            }
        }
    }

    fn len(&self) -> usize {
        let (List::Still(rows) | List::Reordered(rows)) = self;
        rows.len()
    }
}

/// A page of the filtered list after a cursor; `None` if the list no longer contains the cursor.
fn page(
    list: &[CursorRow],
    bounds: Bounds,
    cursor: Option<&CursorRow>,
    size: usize,
) -> Option<(Vec<CursorRow>, bool)> {
    let shown: Vec<_> = list.iter().filter(|r| bounds.hold(r.created)).collect();
    let from = match cursor {
        Some(cursor) => shown.iter().position(|r| r.id == cursor.id)? + 1,
        None => 0,
    };
    let mut page: Vec<_> = shown[from..].iter().take(size).map(|r| (*r).clone()).collect();
    let more = from + page.len() < shown.len();
    if more {
        page.truncate(complete_seconds(page.iter().map(|r| r.created)));
    }
    Some((page, more))
}

struct Slice {
    bounds: Bounds,
    trail: Vec<CursorRow>,
    /// A page in flight, with the bounds of its request.
    flying: Option<(Bounds, Vec<CursorRow>, bool)>,
}

proptest! {
    #[test]
    fn reads_every_row(
        times in proptest::collection::vec(0_i64..60, 0..80),
        steps in proptest::collection::vec((any::<u16>(), any::<bool>(), 0_i64..60), 400),
        size in 1_usize..7,
        reordered in any::<bool>(),
    ) {
        let list = List::new(&times, size, reordered);
        let whole = Bounds { from: None, to: None };
        let mut open = vec![Slice { bounds: whole, trail: vec![], flying: None }];
        let mut seen = std::collections::HashSet::new();
        let mut steps = steps.into_iter().cycle();
        let mut rounds = 0;
        while !open.is_empty() {
            rounds += 1;
            prop_assert!(rounds < 20_000, "the reading does not end");
            let (pick, split, at) = steps.next().expect("cycle");
            let i = usize::from(pick) % open.len();
            if split && rounds < 400 {
                // Another worker takes the older part, which ends at or below the cursor.
                let slice = &mut open[i];
                let Some(cursor) = slice.trail.last() else { continue };
                let lower = slice.bounds.from.is_none_or(|from| from < at);
                if lower && Some(at) <= cursor.created {
                    let new = Bounds { from: slice.bounds.from, to: Some(at) };
                    slice.bounds.from = Some(at);
                    open.push(Slice { bounds: new, trail: vec![], flying: None });
                }
                continue;
            }
            let slice = &mut open[i];
            match slice.flying.take() {
                None => {
                    let rows = list.in_request(rounds);
                    let found = page(&rows, slice.bounds, slice.trail.last(), size);
                    match found {
                        Some((rows, more)) => {
                            slice.flying = Some((slice.bounds, rows, more));
                        }
                        // `resource_missing`: continue from the row before.
                        None => { slice.trail.pop(); }
                    }
                }
                Some((asked, rows, more)) => {
                    seen.extend(rows.iter().map(|r| r.id.clone()));
                    slice.trail = advance(&slice.trail, &rows, asked, slice.bounds);
                    if !more {
                        open.swap_remove(i);
                    }
                }
            }
        }
        prop_assert_eq!(seen.len(), list.len());
    }
}
