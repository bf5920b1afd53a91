// A connection of an HTTP server, whose reads and writes end at a deadline.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/http/tls.h"

namespace sluice::interop {

class DeadlineStream final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  // `tls`: for HTTPS; null: plain HTTP.
  DeadlineStream(socket_t socket, const TlsContext* tls);

  // The handshake of TLS. False: it failed, or took too long.
  bool open(Clock::time_point deadline);
  // Waits for a request. False: none has come.
  [[nodiscard]] bool wait_for_input(Clock::time_point until) const;
  // Reads to the end of a request's head, or `most` bytes. Empty: the peer has ended before, or
  // takes too long.
  std::optional<std::string> read_head(Clock::time_point deadline, std::size_t most);
  // What read() gives from now on: this head, and then so many bytes of the connection.
  void begin_request(std::string head, std::size_t body);
  // Whether all of it was read.
  [[nodiscard]] bool is_read() const { return head_read_ == head_.size() && left_ == 0; }
  void close();
  // After an answer to a request that was not read to its end: ends the own direction, and drops
  // what still comes until the peer ends the other. A socket that is closed with unread bytes is
  // reset, and the peer may lose the answer (RFC 9112, section 9.6).
  void discard_input(Clock::time_point until, std::size_t bytes);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  [[nodiscard]] bool has_input() const;
  // Repeats a step of TLS until it is done. -1: it failed, or took too long.
  template <class Step>
  ssize_t complete(Step step) const;
  ssize_t receive();
  // Reads into the buffer, which is empty. False: nothing comes.
  bool fill();

  socket_t socket_;
  std::optional<TlsConnection> tls_;
  Clock::time_point deadline_;
  std::string head_;
  std::size_t head_read_ = 0;
  std::size_t left_ = 0;  // of the body
  std::array<char, 4096> buffer_{};
  std::span<char> unread_;
};

// Numeric address and port of the peer, and of the socket itself; empty when it has none.
std::pair<std::string, int> peer_of(socket_t socket);
std::pair<std::string, int> own_of(socket_t socket);

}  // namespace sluice::interop
