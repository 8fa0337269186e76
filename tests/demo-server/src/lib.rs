//! A small MCP server of both protocol eras.
