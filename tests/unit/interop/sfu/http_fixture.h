// A media server over HTTP on loopback.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sfu/http/sfu_http.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::sfu {

inline constexpr const char* kSdp = "application/sdp";

class SfuHttpTest : public testing::Test {
 protected:
  void SetUp() override { start({}, {}); }

  void start(LoopOptions options, const SfuHttpOptions& http) {
    client_.reset();
    server_.reset();
    loop_.reset();
    options.lite.addresses = {"127.0.0.1"};
    loop_ = start_media(options).value();
    server_ = SfuHttp::start(http, *loop_).value();
    client_.emplace("127.0.0.1", server_->port());
  }

  httplib::Result post(const std::string& path, const std::string& body = media_offer(),
                       const char* type = kSdp, const httplib::Headers& headers = {}) {
    return client_->Post(path, headers, body, type);
  }
  static httplib::Headers token(const std::string& text) {
    return {{"Authorization", "Bearer " + text}};
  }
  nlohmann::json sessions() { return nlohmann::json::parse(client_->Get("/sessions")->body); }

  std::unique_ptr<MediaThreads> loop_;
  std::unique_ptr<SfuHttp> server_;
  std::optional<httplib::Client> client_;
};

}  // namespace sluice::interop::sfu
