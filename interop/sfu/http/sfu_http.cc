#include "sfu/http/sfu_http.h"

#include <functional>
#include <optional>
#include <utility>

#include "sfu/http/request_log.h"
#include "sfu/http/resources/endpoints.h"
#include "sfu/http/resources/layer_resource.h"
#include "sfu/http/resources/node_endpoint.h"
#include "sfu/http/resources/session_resource.h"
#include "sfu/http/resources/sfu_access.h"
#include "sfu/operations/operations_http.h"
#include "sfu/page_assets.h"

namespace sluice::interop::sfu {
namespace {

HttpOptions with_proxies(const SfuHttpOptions& options) {
  HttpOptions http = options.http;
  http.is_proxy = [proxies = options.trusted_proxies](const std::string& address) {
    return proxies.contains(address);
  };
  return http;
}

}  // namespace

class SfuHttp::Impl {
 public:
  Impl(const SfuHttpOptions& options, MediaThreads& media)
      : options_(options),
        server_(with_proxies(options), kMaxOffer),
        access_(options_, media, server_) {
    server_.add_page(page_assets());
    if (options.log) log_requests();
    add_endpoints(server_.routes(), access_);
    if (options.cluster != nullptr) add_node_endpoint(server_.routes(), access_);
    add_session_resource(server_.routes(), access_);
    add_layer_resource(server_.routes(), access_);
    add_operations(
        server_.routes(), OperatorAccess(options.admin_token, options.http.host),
        {.media = media,
         .ask = [this](std::size_t worker, httplib::Response& response, AskSfuWork work) {
           return access_
               .ask<bool>(worker, response,
                          [work = std::move(work)](Sfu& sfu, dtls::Instant now) {
                            work(sfu, now);
                            return true;
                          })
               .has_value();
         }});
  }

  tl::expected<void, std::string> listen() { return server_.listen(); }
  tl::expected<void, std::string> reload_certificate() { return server_.reload_certificate(); }
  [[nodiscard]] int port() const { return server_.port(); }
  [[nodiscard]] int listening() const { return server_.listening(); }
  [[nodiscard]] std::string url() const { return server_.url(); }

 private:
  void log_requests() {
    server_.observe([this](const httplib::Request& request, const httplib::Response& response) {
      const auto client = options_.trusted_proxies.client_of(request);
      options_.log(request_entry(request, response, client.value_or(request.remote_addr)));
    });
  }

  SfuHttpOptions options_;
  WebServer server_;
  SfuAccess access_;
};

SfuHttp::SfuHttp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SfuHttp::~SfuHttp() = default;

tl::expected<std::unique_ptr<SfuHttp>, std::string> SfuHttp::start(const SfuHttpOptions& options,
                                                                   MediaThreads& media) {
  auto impl = std::make_unique<Impl>(options, media);
  if (auto bound = impl->listen(); !bound) return tl::unexpected(bound.error());
  return std::unique_ptr<SfuHttp>{new SfuHttp(std::move(impl))};
}

tl::expected<void, std::string> SfuHttp::reload_certificate() {
  return impl_->reload_certificate();
}
int SfuHttp::port() const { return impl_->port(); }
int SfuHttp::listening() const { return impl_->listening(); }
std::string SfuHttp::url() const { return impl_->url(); }

}  // namespace sluice::interop::sfu
