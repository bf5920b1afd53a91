#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "record.h"
#include "record_batch.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

const char* cipher_of_libssl(RecordAead aead) {
  switch (aead) {
    case RecordAead::aes_128_gcm:
      return "ECDHE-ECDSA-AES128-GCM-SHA256";
    case RecordAead::aes_256_gcm:
      return "ECDHE-ECDSA-AES256-GCM-SHA384";
    case RecordAead::chacha20_poly1305:
      return "ECDHE-ECDSA-CHACHA20-POLY1305";
    case RecordAead::aes_128_ccm:
      return "ECDHE-ECDSA-AES128-CCM";
    case RecordAead::aes_128_ccm_8:
      return "ECDHE-ECDSA-AES128-CCM8";
  }
  throw std::logic_error("AEAD");
}

// The shortest way for one record out of libssl or into it: a copy, no queue.
struct RecordBio {
  dtls::Bytes in;
  dtls::MutableBytes out;
  std::size_t written = 0;

  static RecordBio& of(BIO* bio) { return *static_cast<RecordBio*>(BIO_get_data(bio)); }
  static int write(BIO* bio, const char* bytes, int size) {
    std::memcpy(of(bio).out.data(), bytes, static_cast<std::size_t>(size));
    of(bio).written = static_cast<std::size_t>(size);
    return size;
  }
  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    const dtls::Bytes record = std::exchange(of(bio).in, {});
    if (record.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(out, record.data(), std::min(record.size(), static_cast<std::size_t>(size)));
    return static_cast<int>(record.size());
  }
  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  void attach_to(SSL* ssl) {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "record");
      BIO_meth_set_write(made, write);
      BIO_meth_set_read(made, read);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    BIO* bio = BIO_new(kMethod);
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
  }
};

}  // namespace

void run_libssl_records(benchmark::State& state, const RecordKind& kind) {
  test::LibsslPeer client({.is_server = false, .cipher = cipher_of_libssl(kind.aead)});
  test::LibsslPeer server({.is_server = true, .cipher = cipher_of_libssl(kind.aead)});
  client.advance();
  while (!client.connected() || !server.connected()) {
    for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
    for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
    if (!client.error().empty()) throw std::runtime_error(client.error());
  }
  RecordBio from;
  RecordBio to;
  from.attach_to(client.ssl());
  to.attach_to(server.ssl());
  const dtls::Buffer data(kind.size, std::byte{0x42});
  dtls::Buffer plain(kRecordRoom);
  run_record_work(
      state, kind.work,
      [&](dtls::MutableBytes room) {
        from.out = room;
        SSL_write(client.ssl(), data.data(), static_cast<int>(data.size()));
        return from.written;
      },
      [&](dtls::MutableBytes record) {
        to.in = record;
        if (SSL_read(server.ssl(), plain.data(), static_cast<int>(plain.size())) <= 0) {
          throw std::runtime_error("libssl has not opened a record");
        }
      });
}

}  // namespace sluice::bench
