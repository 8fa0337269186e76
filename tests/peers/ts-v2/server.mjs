// A small dual-era MCP server on the TypeScript SDK v2, wired as its documentation wires a plain `node:http` server.
//
// In: nothing. Out: one line on standard output, the URL of the endpoint, as soon as it listens. Ends when it is killed.
// 2026-07-28 is answered as JSON, the session era statelessly as an event stream; GET and DELETE are 405.
import { createServer } from 'node:http';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

function buildServer() {
  const server = new McpServer({ name: 'peer-ts-v2', version: '0.0.0' });
  server.registerTool(
    'echo',
    {
      description: 'Gives the message back',
      inputSchema: z.object({ message: z.string().min(1).max(200) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ message }) => ({ content: [{ type: 'text', text: message }] }),
  );
  server.registerTool(
    'search',
    {
      description: 'Finds words in a short list',
      inputSchema: z.object({
        // Mirrored into the header Mcp-Param-Region by clients of 2026-07-28.
        region: z.enum(['eu', 'us']).meta({ 'x-mcp-header': 'Region' }),
        limit: z.number().int().min(1).max(5).default(3),
      }),
      outputSchema: z.object({ region: z.string(), hits: z.array(z.string()) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ region, limit }) => {
      const structuredContent = { region, hits: ['ash', 'beech', 'cedar', 'elm', 'fir'].slice(0, limit) };
      return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
    },
  );
  server.registerResource('welcome', 'note://welcome', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'A short note.' }],
  }));
  server.registerPrompt(
    'greet',
    { description: 'A greeting for somebody', argsSchema: z.object({ who: z.string() }) },
    ({ who }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Greet ${who} in one sentence.` } }] }),
  );
  return server;
}

const handle = toNodeHandler(createMcpHandler(buildServer));
const isLocalHost = localhostHostValidation();
const isLocalOrigin = localhostOriginValidation();

const listener = createServer((request, response) => {
  // Both guards answer what they refuse.
  if (isLocalHost(request, response) && isLocalOrigin(request, response)) handle(request, response);
});
listener.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${listener.address().port}/mcp`));
