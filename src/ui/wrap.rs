//! Texts over several lines, which the help and the dialogs break alike.

pub(super) use crate::model::wrapped;
