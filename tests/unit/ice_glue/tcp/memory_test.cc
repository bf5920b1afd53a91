// What idle connections take, and that datagrams take nothing. A program of its own, because it
// replaces the allocators.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "loopback.h"
#include "support/allocations.h"

namespace sluice::tcp {
namespace {

// So many connections of another process, so that each process needs a descriptor for each. Each
// has begun a frame that never comes.
class IdlePeers {
 public:
  IdlePeers(const dtls::UdpEndpoint& to, int count) {
    EXPECT_EQ(pipe(pipe_), 0);
    child_ = fork();
    if (child_ != 0) {
      close(pipe_[0]);
      return;
    }
    close(pipe_[1]);
    auto address = dtls::to_socket_address(to);
    for (int i = 0; i < count; ++i) {
      const int made = socket(AF_INET, SOCK_STREAM, 0);
      if (made < 0 || connect(made, address.get(), address.size) != 0) _exit(1);
      if (send(made,
               "\x0f\xff"
               "begun",
               7, MSG_NOSIGNAL) != 7)
        _exit(1);
    }
    char end = 0;
    static_cast<void>(!read(pipe_[0], &end, 1));
    _exit(0);
  }
  ~IdlePeers() {
    close(pipe_[1]);
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0);
  }
  IdlePeers(const IdlePeers&) = delete;
  IdlePeers& operator=(const IdlePeers&) = delete;

 private:
  int pipe_[2] = {};
  pid_t child_ = 0;
};

TEST(TcpMemory, OfAnIdleConnectionIsSmall) {
  const std::size_t count = std::getenv("SLUICE_LONG") != nullptr ? 10'000 : 500;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < count + 100) GTEST_SKIP() << "RLIMIT_NOFILE is " << limit.rlim_max;
  Port port({.max_connections = count, .max_connections_per_host = 0});
  const auto before = sluice::test::allocations().bytes;
  {
    const IdlePeers peers(port.listener.own(), static_cast<int>(count));
    port.until_open(count);
    const auto pending = [&] {
      port.take();
      return !is_ready(port.listener.descriptor(), POLLIN, 0ms);
    };
    for (int i = 0; i < 1000 && !pending(); ++i) continue;
    const auto bytes = static_cast<std::size_t>(sluice::test::allocations().bytes - before) / count;
    std::cout << bytes << " bytes of each of " << count << " idle connections\n";
    RecordProperty("bytes", static_cast<int>(bytes));
    EXPECT_LE(bytes, 512U);
    // All go in time.
    port.closed.reserve(count);
    port.pass(10s);
    EXPECT_EQ(port.closed.size(), count);
    EXPECT_EQ(port.listener.size(), 0U);
  }
}

TEST(TcpMemory, IsNotAllocatedForADatagram) {
  Port port;
  auto known = port.connect();
  const auto path = known.path;
  const auto stream = framed({std::string(1000, 'a'), std::string(50, 'b'), std::string(700, 'c')});
  const dtls::Buffer answer(1200);
  std::array<std::byte, 8192> read{};
  std::size_t got = 0;
  const auto receive = [&] {
    for (auto batch = port.listener.receive(port.now); !batch.empty();
         batch = port.listener.receive(port.now)) {
      got += batch.size();
    }
  };
  const auto round = [&] {
    const auto before = got;
    for (const auto& piece : {dtls::Bytes(stream).first(600), dtls::Bytes(stream).subspan(600)}) {
      ASSERT_EQ(send(known.peer.number(), piece.data(), piece.size(), 0),
                static_cast<ssize_t>(piece.size()));
      ASSERT_TRUE(is_ready(port.listener.descriptor(), POLLIN, kLongest));
      receive();
    }
    ASSERT_EQ(got, before + 3);
    for (int i = 0; i < 3; ++i) port.listener.send(answer, path);
    port.listener.flush();
    port.listener.confirm(path, port.now);
    for (std::size_t size = 0; size < 3 * 1202;) {
      const auto count = recv(known.peer.number(), read.data(), read.size(), 0);
      ASSERT_GT(count, 0);
      size += static_cast<std::size_t>(count);
    }
  };
  round();
  const auto before = sluice::test::allocations().count;
  for (int i = 0; i < 200; ++i) round();
  EXPECT_EQ(sluice::test::allocations().count, before);
}

}  // namespace
}  // namespace sluice::tcp
