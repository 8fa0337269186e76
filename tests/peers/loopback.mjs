// Preloaded (`node --import`) into a peer that offers no way to choose its host: it then listens on 127.0.0.1 only,
// and says on standard output where, which makes `PORT=0` (any free port) usable.
import { Server } from 'node:net';

const listen = Server.prototype.listen;

Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  this.once('listening', () => console.log(`http://127.0.0.1:${this.address().port}${process.env.PEER_PATH ?? '/'}`));
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...rest);
};
