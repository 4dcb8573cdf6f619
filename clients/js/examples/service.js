// A service that knows who calls: node service.js, with settings from the environment.
import { createServer } from "node:http";
import { createVerifier } from "quickcart-auth/verifier";

const { ISSUER, AUDIENCE, AUTH_URL, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const verifier = createVerifier({
  issuer: ISSUER,
  audience: AUDIENCE,
  baseUrl: AUTH_URL,
  introspection: { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
});
// What a page asks for: any customer, an admin, the truth of this moment.
const pages = { "/orders": {}, "/admin": { role: "admin" }, "/pay": { live: true } };

const server = createServer(async (request, response) => {
  try {
    const person = await verifier.authorize(request, pages[request.url]);
    response.end(`Hello ${person.subject}`);
  } catch (error) {
    response.writeHead(error.status ?? 500, error.headers).end(error.code);
  }
});
server.listen(PORT ?? 8080, "127.0.0.1", () => console.log(server.address().port));
