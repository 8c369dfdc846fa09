//! What the caller has, as files.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};

use super::super::nullable::nullable;
use super::super::scalars::Url;
use super::super::types::UserError;
use crate::domain::collection::Layout;
use crate::links::{Link, Links};
use crate::principal::Principal;

/// How an inventory is laid out as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "Layout")]
pub enum ExportLayout {
    /// All that is known of each item.
    Generic,
    /// As Moxfield's own export, which its import reads.
    Moxfield,
}

/// What is exported.
#[derive(InputObject)]
pub struct ExportInventoryInput {
    /// How it is laid out.
    #[graphql(default_with = "ExportLayout::Generic")]
    layout: ExportLayout,
}

/// Where the file is.
#[derive(SimpleObject)]
pub struct ExportInventoryPayload {
    /// Opens the file, for whoever has it, for an hour: the inventory as it is when the link is followed.
    url: Option<Url>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Where the file is.
#[derive(SimpleObject)]
pub struct ExportAccountPayload {
    /// Opens the file, for whoever has it, for an hour.
    url: Option<Url>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Files.
#[derive(Default)]
pub struct Exports;

#[Object]
impl Exports {
    /// The whole inventory as a CSV, in Moxfield's or the generic layout. Cells that a spreadsheet would run begin with a `'`.
    async fn export_inventory(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How it is laid out.")] input: ExportInventoryInput,
    ) -> Option<Result<ExportInventoryPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.user()?;
            let layout: Layout = input.layout.into();
            let link = Link::Inventory { user: user.id, layout: layout.name().to_owned() };
            let url = context.data::<Links>()?.url(link, "").map(Url);
            Ok(Some(ExportInventoryPayload { url, user_errors: Vec::new() }))
        })
        .await
    }

    /// All of the caller's data, as a file: the account, its sessions and tokens, and what is held.
    async fn export_account(&self, context: &Context<'_>) -> Option<Result<ExportAccountPayload>> {
        nullable(async {
            let (user, _) = context.data::<Principal>()?.signed_in()?;
            let url = context.data::<Links>()?.url(Link::Account { user: user.id }, "").map(Url);
            Ok(Some(ExportAccountPayload { url, user_errors: Vec::new() }))
        })
        .await
    }
}
