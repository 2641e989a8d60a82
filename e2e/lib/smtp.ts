// An SMTP server (RFC 5321) that takes everything from everybody and keeps it.
import { createServer, type Server, type Socket } from 'node:net';

export interface Mail {
  to: string[];
  data: string; // decoded from quoted-printable
}

export class Mailbox {
  readonly mails: Mail[] = [];
  // refuse is the reply to the next recipient; empty: everybody is taken.
  refuse = '';

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async open(): Promise<Mailbox> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = server.address();
    if (at === null || typeof at === 'string') throw new Error('the SMTP server has no port');
    const box = new Mailbox(server, `127.0.0.1:${at.port}`);
    server.on('connection', (socket) => box.talk(socket));
    return box;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private talk(socket: Socket): void {
    let mail: Mail = { to: [], data: '' };
    let inData = false;
    let rest = '';
    socket.on('error', () => socket.destroy());
    socket.write('220 mailbox\r\n');
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (inData) {
          if (line === '.') {
            inData = false;
            this.mails.push({ to: mail.to, data: decode(mail.data) });
            socket.write('250 2.0.0 queued as 4711\r\n');
          } else mail.data += line.replace(/^\./, '') + '\r\n';
          continue;
        }
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'MAIL') mail = { to: [], data: '' };
        if (verb === 'RCPT' && this.refuse !== '') {
          socket.write(this.refuse + '\r\n');
          this.refuse = '';
          continue;
        }
        if (verb === 'RCPT') mail.to.push(/<(.*)>/.exec(line)?.[1] ?? '');
        inData = verb === 'DATA';
        socket.write(verb === 'DATA' ? '354 go on\r\n' : verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
        if (verb === 'QUIT') socket.end();
      }
    });
  }
}

function decode(text: string): string {
  const bytes = text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
