#include "common/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace sluice::interop {
namespace {

tl::unexpected<std::string> fault_of(const std::string& file, const std::string& what) {
  ERR_clear_error();
  return tl::unexpected(file + ": " + what);
}

// Empty: it can be read.
std::string why_unreadable(const std::string& file) {
  errno = 0;
  std::ifstream opened(file);
  opened.peek();  // a folder can be opened, but not read
  return opened.good() || opened.eof() ? std::string{} : std::strerror(errno);
}

// libssl would ask on the terminal.
int no_passphrase(char* /*text*/, int /*size*/, int /*writes*/, void* /*data*/) { return -1; }

}  // namespace

tl::expected<TlsContext, std::string> TlsContext::load(const std::string& certificate,
                                                       const std::string& key) {
  for (const std::string& file : {certificate, key}) {
    if (const auto why = why_unreadable(file); !why.empty()) return fault_of(file, why);
  }
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fault_of(certificate, "libssl can't make a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
    return fault_of(certificate, "no certificate in PEM");
  }
  const bool is_taken =
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1;
  // libcrypto's X.509 library compares the two.
  if (!is_taken && ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509) {
    return fault_of(key, "no private key in PEM without a passphrase");
  }
  if (!is_taken || SSL_CTX_check_private_key(context.get()) != 1) {
    return fault_of(key, "not the key of the certificate in " + certificate);
  }
  return TlsContext(context);
}

void TlsConnection::Free::operator()(ssl_st* connection) const { SSL_free(connection); }

TlsConnection::TlsConnection(const TlsContext& context, int socket)
    : connection_(SSL_new(context.context_.get())) {
  SSL_set_fd(connection_.get(), socket);
}

TlsStep TlsConnection::accept() {
  ERR_clear_error();
  return step(SSL_accept(connection_.get()), 1);
}

TlsStep TlsConnection::read(char* to, std::size_t size) {
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_read_ex(connection_.get(), to, size, &done);
  return step(result, done);
}

TlsStep TlsConnection::write(const char* from, std::size_t size) {
  ERR_clear_error();
  std::size_t done = 0;
  const int result = SSL_write_ex(connection_.get(), from, size, &done);
  return step(result, done);
}

TlsStep TlsConnection::step(int result, std::size_t size) const {
  if (result > 0) return {.size = static_cast<ssize_t>(size)};
  switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.events = POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return {.events = POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return {.size = 0};
    default:
      return {};
  }
}

bool TlsConnection::has_input() const { return SSL_pending(connection_.get()) > 0; }

void TlsConnection::close() {
  ERR_clear_error();
  if (SSL_is_init_finished(connection_.get()) == 1) SSL_shutdown(connection_.get());
}

}  // namespace sluice::interop
