// TLS of a server, by libssl.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <tl/expected.hpp>

struct ssl_st;
struct ssl_ctx_st;

namespace sluice::interop {

// A certificate with its key, for TLS 1.2 and 1.3.
class TlsContext {
 public:
  // PEM files; that of the certificate may have a chain after it. The error says what is wrong with
  // which file.
  static tl::expected<TlsContext, std::string> load(const std::string& certificate,
                                                    const std::string& key);

 private:
  friend class TlsConnection;
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

// What a step of a connection has done.
struct TlsStep {
  ssize_t size = -1;  // of what was read or written; 0: the peer has ended; -1: it failed
  short events = 0;   // of poll(), to wait for before the same call is made again; 0: it is done
};

// On a socket that does not block.
class TlsConnection {
 public:
  TlsConnection(const TlsContext& context, int socket);

  TlsStep accept();
  TlsStep read(char* to, std::size_t size);
  TlsStep write(const char* from, std::size_t size);
  // Bytes are there that read() gives without the socket.
  [[nodiscard]] bool has_input() const;
  // Tells the peer, without waiting.
  void close();

 private:
  struct Free {
    void operator()(ssl_st* connection) const;
  };
  [[nodiscard]] TlsStep step(int result, std::size_t size) const;

  std::unique_ptr<ssl_st, Free> connection_;
};

}  // namespace sluice::interop
