/* The least that any server in user space does for a query, as a line to compare with: 64 messages a call, each answered
 * by one A record without a look at its name. No zone, no checks, no counters.
 * Usage: dns-reference PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, BUFFER = 2048, HEADER = 12 };

static unsigned char buffers[BATCH][BUFFER];
static struct sockaddr_in names[BATCH];
static struct iovec iovecs[BATCH];
static struct mmsghdr messages[BATCH];

/* Owner by pointer, A, IN, TTL 5, four octets. */
static const unsigned char record[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 242, 192, 0, 1};

int main(int count, char **words) {
  if (count != 2) return 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int room = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) return 1;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      iovecs[i] = (struct iovec){buffers[i], BUFFER - sizeof record};
      messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &iovecs[i], .msg_iovlen = 1};
    }
    int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    for (int i = 0; i < got; i++) {
      unsigned length = HEADER;
      while (length < messages[i].msg_len && buffers[i][length] != 0) length += 1 + buffers[i][length];
      length = length + 5 <= messages[i].msg_len ? length + 5 : HEADER; /* the question alone: an OPT is left out */
      buffers[i][2] |= 0x84;
      buffers[i][7] = 1;
      buffers[i][11] = 0;
      memcpy(buffers[i] + length, record, sizeof record);
      iovecs[i].iov_len = length + sizeof record;
    }
    for (int done = 0; done < got;) {
      int sent = sendmmsg(fd, messages + done, got - done, 0);
      done += sent > 0 ? sent : 1;
    }
  }
}
