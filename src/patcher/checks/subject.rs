//! What is looked at and what is changed, by its name.

use super::repeatable::EMPTYING;
use crate::patcher::known_calls::{self, CallEffect};
use crate::patcher::point::{Action, Point};

/// What a check is about and an action is done to, as far as the code shows it.
#[derive(PartialEq, Eq)]
pub(super) enum Subject<'a> {
    Attribute(&'a str),
    Global(&'a str),
    Variable(&'a str),
    /// What is in the container of this name.
    Content(&'a str),
}

pub(super) fn checked<'a>(point: &Point<'a>, container: Option<&'a str>) -> Option<Subject<'a>> {
    if point.is_tested && !point.is_asked { looked_at(point, container) } else { None }
}

/// What is read in one step, whether it decides something or not.
pub(super) fn looked_at<'a>(point: &Point<'a>, container: Option<&'a str>) -> Option<Subject<'a>> {
    use Action as A;
    match point.action {
        A::ReadAttribute => point.name.map(Subject::Attribute),
        A::ReadGlobal => point.name.map(Subject::Global),
        A::ReadCell => point.name.map(Subject::Variable),
        A::Contains | A::ReadItem | A::ReadSlice | A::Truth => container.map(Subject::Content),
        A::Method => {
            let is_read = |method: &known_calls::Method| method.effect == CallEffect::Read;
            known_calls::methods(point.name?).iter().any(is_read).then_some(container.map(Subject::Content))?
        }
        A::Function => {
            let function = known_calls::function(point.name?)?;
            (function.effect == CallEffect::Read).then_some(container.map(Subject::Content))?
        }
        A::WriteAttribute
        | A::DeleteAttribute
        | A::WriteItem
        | A::DeleteItem
        | A::WriteSlice
        | A::Iterate
        | A::EndIteration
        | A::Update
        | A::WriteGlobal
        | A::DeleteGlobal
        | A::WriteCell
        | A::DeleteCell
        | A::Await
        | A::Import
        | A::Suspend
        | A::Finalize => None,
    }
}

pub(super) fn acted<'a>(point: &Point<'a>, container: Option<&'a str>) -> Option<Subject<'a>> {
    use Action as A;
    match point.action {
        A::WriteAttribute | A::DeleteAttribute => point.name.map(Subject::Attribute),
        A::WriteGlobal | A::DeleteGlobal => point.name.map(Subject::Global),
        A::WriteCell | A::DeleteCell => point.name.map(Subject::Variable),
        A::WriteItem | A::DeleteItem => container.map(Subject::Content),
        A::Method => {
            let changes = |method: &known_calls::Method| {
                matches!(method.effect, CallEffect::Take | CallEffect::Insert) || method.name == EMPTYING
            };
            known_calls::methods(point.name?).iter().any(changes).then_some(container.map(Subject::Content))?
        }
        A::ReadAttribute
        | A::ReadItem
        | A::Contains
        | A::ReadSlice
        | A::WriteSlice
        | A::Iterate
        | A::EndIteration
        | A::Truth
        | A::Update
        | A::Function
        | A::ReadGlobal
        | A::ReadCell
        | A::Await
        | A::Import
        | A::Suspend
        | A::Finalize => None,
    }
}
