//! Leaves out of a WGSL text what a network never reaches. A driver would find it out too, after
//! having copied every activation and every update rule to each of the places where one is applied.

use std::ops::Range;

/// The text with every `switch (on) { ... }` reduced to the cases of some codes. One of them alone
/// becomes the default case; else the default stays.
pub(super) fn keep_cases(text: &str, on: &str, codes: &[u32]) -> String {
    let head = format!("switch ({on}) {{");
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(&head) {
        let start = found + head.len();
        let end = start + matching_brace(&rest[start..]);
        result += &rest[..start];
        result += &kept(&rest[start..end], codes);
        rest = &rest[end..];
    }
    result + rest
}

/// The cases of a switch's body that are kept.
fn kept(body: &str, codes: &[u32]) -> String {
    let cases = cases(body);
    let has =
        |labels: &str, code: u32| labels.split(',').any(|label| label.trim() == format!("{code}u"));
    let block_of = |code: u32| {
        let found = cases.iter().find(|(labels, _)| has(labels, code));
        found.or(cases.iter().find(|(labels, _)| labels.is_empty()))
    };
    if let [code] = *codes
        && let Some((_, block)) = block_of(code)
    {
        return format!(" default: {{{}}} ", &body[block.clone()]);
    }
    let wanted = |labels: &str| labels.is_empty() || codes.iter().any(|&code| has(labels, code));
    let case = |(labels, block): &(&str, Range<usize>)| {
        let head = if labels.is_empty() { "default".into() } else { format!("case {labels}") };
        format!(" {head}: {{{}}} ", &body[block.clone()])
    };
    cases.iter().filter(|(labels, _)| wanted(labels)).map(case).collect()
}

/// The labels of each case, none for the default, and where its block is.
fn cases(body: &str) -> Vec<(&str, Range<usize>)> {
    let mut list = Vec::new();
    let mut at = 0;
    while let Some(open) = body[at..].find('{').map(|found| at + found) {
        let start = open + 1;
        let end = start + matching_brace(&body[start..]);
        let line = body[at..open].trim_end().trim_end_matches(':');
        // Behind comments between the cases.
        let labels = line.rfind("case ").map_or("", |case| &line[case + 5..]);
        list.push((labels, start..end));
        at = end + 1;
    }
    list
}

/// Where the brace is that closes one opened before the text.
fn matching_brace(text: &str) -> usize {
    let mut depth = 1;
    let closes = |c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    };
    text.find(closes).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f(x: u32) {
    switch (A) {
        case 1u: { if (x > 0u) { one(); } }
        // Both.
        case 2u, 3u: { both(); }
        default: { other(); }
    }
    switch (B) { default: { b(); } }
}";

    #[test]
    fn one_code_becomes_the_default() {
        let text = keep_cases(TEXT, "A", &[3]);
        assert!(text.contains("switch (A) { default: { both(); } }"), "{text}");
        assert!(!text.contains("one()") && !text.contains("other()"), "{text}");
        assert!(keep_cases(TEXT, "A", &[1]).contains("default: { if (x > 0u) { one(); } }"));
        assert!(keep_cases(TEXT, "A", &[9]).contains("switch (A) { default: { other(); } }"));
        assert!(text.ends_with(&TEXT[TEXT.find("    switch (B)").unwrap()..]), "{text}");
    }

    #[test]
    fn several_codes_keep_their_cases() {
        let text = keep_cases(TEXT, "A", &[1, 2]);
        for kept in ["case 1u: {", "case 2u, 3u: { both(); }", "default: { other(); }"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert!(!keep_cases(TEXT, "A", &[1, 7]).contains("both"));
    }
}
