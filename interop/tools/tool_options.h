// The options that both tools have, named like those of `openssl s_server` and `s_client`.
#pragma once

#include <sluice/dtls/connection.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/recorder.h"

namespace sluice::interop::tools {

struct ToolOptions {
  std::string certificate;
  std::string key;
  bool raw_public_keys = false;  // in place of certificates
  std::string psk;
  std::string psk_identity = "Client_identity";  // as in openssl
  bool only_dtls12 = false;
  bool only_dtls13 = false;
  std::string cipher;
  std::string ciphersuites;
  std::string groups;
  std::vector<std::string> fingerprint;
  std::string authorities;  // PEM file; empty: chains are not verified
  std::string peer_name;    // that a verified server's certificate must have
  std::string server_name;
  std::string protocols;  // ALPN, separated by commas
  std::string srtp;       // use_srtp: profiles separated by colons; empty: not offered
  // Keying material to print (RFC 5705). Empty: none.
  std::string export_label;
  std::size_t export_length = 20;
  std::size_t mtu = 1200;
  std::optional<std::size_t> max_fragment_length;  // that a client asks for
  // Bytes of the connection IDs that the peer is to use. Empty: there are none in either direction.
  std::optional<std::size_t> connection_id_size;
  // Empty: as in ConfigOptions.
  std::optional<dtls::ReturnRoutability> return_routability;
  unsigned handshake_timeout = 30;
  common::RecorderFiles files;
  dtls::Resumption resumption = dtls::Resumption::none;
  std::shared_ptr<dtls::TicketKeys> ticket_keys;  // of a server
  bool quiet = false;
};

void add_options(CLI::App& app, ToolOptions& options);

struct ToolConfig {
  dtls::ConfigPtr config;
  // The fingerprint that the peer's certificate must have. Empty: any certificate is accepted.
  std::optional<dtls::Fingerprint> peer;
};

// `wanted`: none, request or require, for the peer's certificate. With --CAfile it is also
// verified. The error says what is wrong.
tl::expected<ToolConfig, std::string> make_config(const ToolOptions& options,
                                                  dtls::Environment& environment,
                                                  dtls::PeerAuthentication wanted);

// "DTLS 1.3, TLS_AES_128_GCM_SHA256, x25519, PSK, server name sensor-7, ALPN coap".
std::string describe(const dtls::ConnectionInfo& info);

// "Keying material: 00FF...", or why it can't be exported. Empty when none was asked for.
std::string export_keys(const dtls::Connection& connection, const ToolOptions& options);

}  // namespace sluice::interop::tools
