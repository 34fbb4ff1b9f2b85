/* Opens many event streams in one thread and checks and times every trade that comes.
 *
 * cc -O2 -o client client.c
 * ./client PORT PATH READERS [STALLED [SLOW]]
 *
 * STALLED readers stop reading once they are open, SLOW ones take 1 KB every 100 ms; both are beside READERS.
 * A trade is the text "seq":N ... "timestamp":T (Unix seconds) anywhere in the stream, so that it does not matter how a server
 * groups trades into events or chunks. On standard input: "phase TRADES SECONDS" starts a measurement that ends when
 * every reader has had so many further trades or the time is over; "quit" ends. Each answer is one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OPENING = 128, CARRY = 512, FRESH = 262144, MAX_TRADES = 1 << 20 };
typedef enum { READER, STALLED, SLOW } Kind;

typedef struct {
    int fd, carried, opened, dead;
    Kind kind;
    int64_t last, got;
    char carry[CARRY];
} Stream;

static Stream *streams;
static int total, readers, opened, dead, poller, opening, next_to_open;
static int64_t missing, doubled, deliveries, bytes, wanted, complete, first_seq;
static float *latencies, *last_reader;
static struct sockaddr_in server;
static char request[512], buffer[CARRY + FRESH + 1];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) { perror(what); exit(1); }

static void open_one(void) {
    Stream *s = &streams[next_to_open++];
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0) die("socket");
    if (s->kind != READER) setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
    if (connect(s->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) die("connect");
    struct epoll_event e = {.events = EPOLLOUT, .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
    opening++;
}

static void lost(Stream *s) {
    if (!s->dead && s->kind == READER) dead++;
    s->dead = 1;
    epoll_ctl(poller, EPOLL_CTL_DEL, s->fd, NULL);
    close(s->fd);
}

static void trade(Stream *s, int64_t seq, double stamp, double at) {
    if (s->last && seq <= s->last) { doubled++; return; }
    if (s->last && seq > s->last + 1) missing += seq - s->last - 1;
    s->last = seq;
    if (s->kind != READER || !wanted) return;
    s->got++;
    if (deliveries < (int64_t)readers * wanted) latencies[deliveries] = at - stamp;
    deliveries++;
    if (!first_seq || seq < first_seq) first_seq = seq;
    if (seq - first_seq < MAX_TRADES && at - stamp > last_reader[seq - first_seq]) last_reader[seq - first_seq] = at - stamp;
    if (s->got == wanted) complete++;
}

/* Reads every whole "seq":…"timestamp":… pair; what may be the beginning of one is carried to the next read. */
static void scan(Stream *s, char *text, int size, double at) {
    char *p = text, *end = text + size;
    for (;;) {
        char *mark = memmem(p, end - p, "\"seq\":", 6);
        if (!mark) { if (end - p > 8) p = end - 8; break; }
        char *stamp = memmem(mark, end - mark, "\"timestamp\":", 12);
        if (!stamp || !memchr(stamp, ',', end - stamp)) { p = mark; break; }
        trade(s, strtoll(mark + 6, NULL, 10), strtod(stamp + 12, NULL), at);
        p = stamp + 12;
    }
    s->carried = end - p > CARRY ? CARRY : end - p;
    memcpy(s->carry, end - s->carried, s->carried);
}

static void receive(Stream *s) {
    if (s->kind == STALLED && s->opened) return;
    memcpy(buffer, s->carry, s->carried);
    int size = recv(s->fd, buffer + s->carried, s->kind == SLOW ? 1024 : FRESH, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) { lost(s); return; }
    bytes += size;
    double at = now();
    size += s->carried;
    buffer[size] = 0;
    if (!s->opened) {
        char *body = memmem(buffer, size, "\r\n\r\n", 4);
        if (!body || body + 4 == buffer + size) { s->carried = size; memcpy(s->carry, buffer, size); return; }
        s->opened = 1; opening--; opened++;
        if (s->kind == STALLED) epoll_ctl(poller, EPOLL_CTL_DEL, s->fd, NULL);
    }
    scan(s, buffer, size, at);
}

static void turn(int wait) {
    struct epoll_event events[256];
    while (next_to_open < total && opening < OPENING) open_one();
    int count = epoll_wait(poller, events, 256, wait);
    for (int i = 0; i < count; i++) {
        Stream *s = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            if (send(s->fd, request, strlen(request), MSG_NOSIGNAL) < 0) { lost(s); continue; }
            struct epoll_event e = {.events = s->kind == SLOW ? 0 : EPOLLIN, .data.ptr = s};
            epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &e);
        } else receive(s);
    }
    static double slow_at;
    if (now() - slow_at > 0.1) {
        slow_at = now();
        for (int i = readers; i < total; i++)
            if (streams[i].kind == SLOW && streams[i].fd > 0 && !streams[i].dead) receive(&streams[i]);
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(float *values, int64_t count, double share) {
    return count ? values[(int64_t)(share * (count - 1))] * 1000 : 0;
}

static void phase(int64_t trades, double seconds) {
    wanted = trades; complete = deliveries = bytes = first_seq = 0;
    free(latencies);
    latencies = calloc((size_t)readers * trades + 1, sizeof *latencies);
    memset(last_reader, 0, sizeof *last_reader * MAX_TRADES);
    for (int i = 0; i < total; i++) streams[i].got = 0;
    printf("{\"started\":true}\n"); fflush(stdout);
    double begin = now(), first = 0;
    while (complete < readers && now() - begin < seconds) { turn(10); if (!first && deliveries) first = now(); }
    double took = now() - first;
    qsort(latencies, deliveries, sizeof *latencies, by_size);
    int64_t events = trades < MAX_TRADES ? trades : MAX_TRADES;
    qsort(last_reader, events, sizeof *last_reader, by_size);
    struct rusage u; getrusage(RUSAGE_SELF, &u);
    printf("{\"deliveries\":%ld,\"complete\":%ld,\"missing\":%ld,\"doubled\":%ld,\"dead\":%d,\"seconds\":%.6f,\"bytes\":%ld,"
           "\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"last_p50\":%.3f,\"last_p99\":%.3f,\"client_cpu\":%.3f}\n",
           deliveries, complete, missing, doubled, dead, took, bytes, quantile(latencies, deliveries, .5),
           quantile(latencies, deliveries, .99), quantile(latencies, deliveries, 1), quantile(last_reader, events, .5),
           quantile(last_reader, events, .99), u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    fflush(stdout);
    wanted = 0;
}

int main(int argc, char **argv) {
    if (argc < 4) { fprintf(stderr, "usage: client PORT PATH READERS [STALLED [SLOW]]\n"); return 2; }
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){65536, 65536});
    readers = atoi(argv[3]);
    int stalled = argc > 4 ? atoi(argv[4]) : 0, slow = argc > 5 ? atoi(argv[5]) : 0;
    total = readers + stalled + slow;
    streams = calloc(total, sizeof *streams);
    last_reader = calloc(MAX_TRADES, sizeof *last_reader);
    for (int i = readers; i < total; i++) streams[i].kind = i < readers + stalled ? STALLED : SLOW;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", argv[2]);
    poller = epoll_create1(0);
    double begin = now();
    while (opened < total && !dead && now() - begin < 120) turn(100);
    printf("{\"opened\":%d,\"dead\":%d,\"seconds\":%.6f}\n", opened, dead, now() - begin); fflush(stdout);
    fcntl(0, F_SETFL, O_NONBLOCK);
    char line[128];
    for (int have = 0;;) {
        int size = read(0, line + have, sizeof line - 1 - have);
        if (size == 0) return 0;
        if (size > 0) { have += size; line[have] = 0; }
        if (have && strchr(line, '\n')) {
            long trades; double seconds;
            have = 0;
            if (!strncmp(line, "quit", 4)) return 0;
            if (sscanf(line, "phase %ld %lf", &trades, &seconds) == 2) phase(trades, seconds);
        }
        turn(10);
    }
}
