/* Sends requests at a fixed rate without waiting for responses (an open loop):
 *
 *   flood PORT TOKEN SECONDS RATE CONNECTIONS FIRST WRITES
 *
 * Of four requests, numbered from FIRST on, one writes a film, one is a search without results, one reads a page and
 * one the history. A request uses a free connection or opens one; while CONNECTIONS are busy, it is not sent. So an
 * unreachable RATE makes CONNECTIONS clients that wait for each response (a closed loop). The file WRITES gets the
 * number of each film and the status of its response, 0 for none. The results go to standard output as JSON. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 8192, PIECE = 65536, STATUSES = 600, TAIL = 7 };
static const double ANSWER_SECONDS = 30;

struct connection {
    int file;         /* -1: closed */
    long number;      /* of the running request; -1: none */
    double sent;
    char head[HEAD];
    size_t length;    /* of the part of the head that was received */
    int status;       /* 0 until the head is complete */
    int chunked;
    long left;        /* bytes of the body */
    char tail[TAIL];  /* the last bytes of a chunked body */
    char request[1024];
    size_t unsent;    /* bytes of the request, until the connection is open */
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static const char *token;
static struct connection *all, **idle;
static long most, opened, idles, busy, statuses[STATUSES], unanswered, answered, room;
static double *times;
static FILE *writes;
static int poller;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void settle(struct connection *c, int status) {
    if (c->number % 4 == 0) fprintf(writes, "%ld %d\n", c->number, status);
    if (status == 0) {
        unanswered++;
    } else {
        statuses[status < STATUSES ? status : 0]++;
        if (answered == room && (times = realloc(times, (size_t)(room = room * 2 + 1024) * sizeof *times)) == NULL) abort();
        times[answered++] = now() - c->sent;
    }
    c->number = -1;
    c->unsent = 0;
    busy--;
    idle[idles++] = c;
}

static void broken(struct connection *c) {
    close(c->file);
    c->file = -1;
    if (c->number >= 0) settle(c, 0);
}

static void receive(struct connection *c) {
    static char piece[PIECE];
    for (;;) {
        ssize_t got = read(c->file, piece, sizeof piece);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || c->number < 0) { broken(c); return; }
        char *body = piece;
        size_t length = (size_t)got;
        if (c->status == 0) {
            size_t before = c->length, taken = length < HEAD - 1 - before ? length : HEAD - 1 - before;
            memcpy(c->head + before, piece, taken);
            c->length += taken;
            c->head[c->length] = 0;
            char *end = strstr(c->head, "\r\n\r\n");
            if (end == NULL) {
                if (c->length == HEAD - 1) { broken(c); return; }
                continue;
            }
            size_t head = (size_t)(end - c->head) + 4;
            *end = 0;
            c->status = atoi(c->head + sizeof "HTTP/1.1");
            char *field = strcasestr(c->head, "\r\ncontent-length:");
            c->chunked = strcasestr(c->head, "\r\ntransfer-encoding: chunked") != NULL;
            c->left = field == NULL ? 0 : atol(field + sizeof "\r\ncontent-length:" - 1);
            memset(c->tail, 0, TAIL);
            body = piece + (head - before);
            length -= head - before;
        }
        if (c->chunked) {
            for (size_t n = length > TAIL ? length - TAIL : 0; n < length; n++) {
                memmove(c->tail, c->tail + 1, TAIL - 1);
                c->tail[TAIL - 1] = body[n];
            }
            if (memcmp(c->tail, "\r\n0\r\n\r\n", TAIL) == 0) { settle(c, c->status); return; }
        } else if ((c->left -= (long)length) <= 0) {
            settle(c, c->status);
            return;
        }
    }
}

static void flush(struct connection *c) {
    ssize_t length = (ssize_t)c->unsent;
    c->unsent = 0;
    if (send(c->file, c->request, (size_t)length, MSG_NOSIGNAL) != length) broken(c);
}

/* Whether a connection was free for it. */
static int send_one(long number) {
    static const char *const paths[] = {"/movie?q=fillet%20zz&limit=20", "/movie?limit=100&sort=-rating", "/history?limit=50"};
    struct connection *c = idles > 0 ? idle[--idles] : opened < most ? &all[opened] : NULL;
    char film[256];
    if (c == NULL) return 0;
    if (c == &all[opened]) { opened++; c->file = -1; }
    c->number = number;
    c->sent = now();
    c->length = 0;
    c->status = 0;
    busy++;
    int length, connected = c->file >= 0;
    if (number % 4 == 0) {
        int body = snprintf(film, sizeof film, "{\"title\":\"overload %ld\",\"movieFormat\":\"DVD\",\"length\":100,"
                            "\"releaseYear\":2000,\"rating\":3}", number);
        length = snprintf(c->request, sizeof c->request, "POST /movie HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, body, film);
    } else {
        length = snprintf(c->request, sizeof c->request, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                          paths[number % 4 - 1], token);
    }
    c->unsent = (size_t)length;
    if (connected) {
        flush(c);
        return 1;
    }
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    c->file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->file < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, c->file, &event) != 0) abort();
    setsockopt(c->file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->file, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) broken(c);
    return 1; /* sent when the connection is open */
}

static void turn(int milliseconds) {
    struct epoll_event events[512];
    int count = epoll_wait(poller, events, 512, milliseconds);
    for (int n = 0; n < count; n++) {
        struct connection *c = events[n].data.ptr;
        if (c->file >= 0 && c->unsent > 0 && events[n].events & EPOLLOUT) flush(c);
        if (c->file >= 0 && events[n].events & ~(uint32_t)EPOLLOUT) receive(c);
    }
}

static int ascending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int count, char **given) {
    if (count != 8) return 2;
    address.sin_port = htons((uint16_t)atoi(given[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    token = given[2];
    double seconds = atof(given[3]), rate = atof(given[4]);
    most = atol(given[5]);
    long first = atol(given[6]), sent = 0;
    writes = fopen(given[7], "w");
    poller = epoll_create1(EPOLL_CLOEXEC);
    all = calloc((size_t)most + 1, sizeof *all);
    idle = calloc((size_t)most + 1, sizeof *idle);
    if (writes == NULL || poller < 0 || all == NULL || idle == NULL) return 1;
    double begun = now(), time;
    while ((time = now() - begun) < seconds) {
        /* a few at a time, so that responses are read in between */
        for (int n = 0; n < 256 && (double)sent < time * rate && send_one(first + sent); n++) sent++;
        turn(busy < most && (double)sent < time * rate ? 0 : 1);
    }
    long outstanding = busy, within = answered;
    for (double end = now() + ANSWER_SECONDS; busy > 0 && now() < end;) turn(100);
    for (long n = 0; n < opened; n++)
        if (all[n].number >= 0) broken(&all[n]);
    qsort(times, (size_t)answered, sizeof *times, ascending);
    printf("{\"sent\": %ld, \"seconds\": %.3f, \"answered\": %ld, \"outstanding\": %ld, \"unanswered\": %ld, \"p50\": %.3f, "
           "\"longest\": %.3f, \"statuses\": {", sent, time, within, outstanding, unanswered,
           answered ? times[answered / 2] : 0, answered ? times[answered - 1] : 0);
    const char *comma = "";
    for (int status = 0; status < STATUSES; status++) {
        if (statuses[status] == 0) continue;
        printf("%s\"%d\": %ld", comma, status, statuses[status]);
        comma = ", ";
    }
    printf("}}\n");
    return fclose(writes) != 0;
}
