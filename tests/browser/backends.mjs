// SPDX-License-Identifier: GPL-3.0-or-later
// Backends as a process of their own, so that nothing that a test does makes them late. One server
// on all addresses of the loopback: 127.0.0.11 is a backend, and so is 127.1.2.3. The parent sends
// [[address, "fail" or "drop"], …], and hears the port.
import http from "node:http";

let failing = new Map();

const server = http.createServer((request, response) => {
  const how = failing.get(request.socket.localAddress);
  response.writeHead(how === "fail" ? 503 : 200, { Connection: "close" });
  response.end(how === "fail" ? "failing" : "ok");
});
server.on("connection", (socket) => {
  if (failing.get(socket.localAddress) === "drop") {
    socket.resetAndDestroy();
  }
});
server.listen(Number(process.argv[2]), "0.0.0.0", () => process.send("listening"));
process.on("message", (rows) => {
  failing = new Map(rows);
});
process.on("disconnect", () => process.exit());
