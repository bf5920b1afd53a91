#include "demo/http_server.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>

#include "common/sdp/sdp_offer.h"
#include "demo/page_assets.h"

namespace sluice::interop::demo {
namespace {

constexpr const char* kSdpType = "application/sdp";

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpOptions& options, nice::GlibThread& thread, EchoService& service)
      : thread_(thread), service_(service), server_(options, kMaxOffer) {
    add_routes();
  }

  tl::expected<void, std::string> listen() { return server_.listen(); }
  [[nodiscard]] int port() const { return server_.port(); }
  [[nodiscard]] std::string url() const { return server_.url(); }

 private:
  // `work` may use nothing of this object but the service: WebServer::wait(). For a request that
  // was refused for its delay it is not begun, and `undo` gets an answer that comes too late.
  template <class Answer>
  std::optional<Answer> ask(
      httplib::Response& response, std::function<void(std::function<void(Answer)>)> work,
      std::function<void(const Answer&)> undo = [](const Answer&) {}) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    const auto claim = std::make_shared<std::atomic_flag>();
    thread_.post([promise, claim, work = std::move(work), undo = std::move(undo)] {
      if (claim->test()) return;
      work([promise, claim, undo](Answer value) {
        if (claim->test_and_set()) return undo(value);
        promise->set_value(std::move(value));
      });
    });
    return server_.wait(response, std::move(answer), claim.get());
  }

  void add_routes() {
    server_.add_page(page_assets());
    auto& routes = server_.routes();
    routes.Post("/echo",
                [this](const auto& request, auto& response) { create(request, response); });
    routes.Post("/offer",
                [this](const auto& request, auto& response) { offer(request, response); });
    routes.Patch(R"(/echo/([0-9a-f]{32}))",
                 [this](const auto& request, auto& response) { answer(request, response); });
    routes.Delete(R"(/echo/([0-9a-f]{32}))",
                  [this](const auto& request, auto& response) { remove(request, response); });
    routes.Get(R"(/echo/([0-9a-f]{32})/statistics)",
               [this](const auto& request, auto& response) { statistics(request, response); });
  }

  void create(const httplib::Request& request, httplib::Response& response) {
    if (!has_type(request, kSdpType)) {
      refuse(response, 415, "The offer must come as application/sdp.");
      return;
    }
    std::optional<Setup> setup;
    if (request.has_param("setup")) {
      setup = parse_setup(request.get_param_value("setup"));
      if (!setup || *setup == Setup::actpass) {
        refuse(response, 400, "The query's setup must be active or passive.");
        return;
      }
    }
    const auto offer = read_offer(request.body);
    if (!offer) {
      refuse(response, 400, offer.error().sentence);
      return;
    }
    created(ask<CreateResult>(
                response,
                [&service = service_, offer, setup, address = request.remote_addr](
                    const auto& done) { service.create(*offer, setup, address, done); },
                ending()),
            response);
  }

  // Ends a call that has come too late. Not at once: its session is still busy with it.
  std::function<void(const CreateResult&)> ending() {
    return [&thread = thread_, &service = service_](const CreateResult& late) {
      if (late) thread.post([&service, id = late->id] { service.remove(id); });
    };
  }

  void offer(const httplib::Request& request, httplib::Response& response) {
    created(ask<CreateResult>(
                response,
                [&service = service_, address = request.remote_addr](const auto& done) {
                  service.create_offering(address, done);
                },
                ending()),
            response);
  }

  static void created(const std::optional<CreateResult>& result, httplib::Response& response) {
    if (!result) return;
    if (!*result) return refuse(response, result->error().status, result->error().sentence);
    response.status = 201;
    response.set_header("Location", "/echo/" + (*result)->id);
    response.set_content((*result)->sdp, kSdpType);
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    if (!has_type(request, kSdpType)) {
      refuse(response, 415, "The answer must come as application/sdp.");
      return;
    }
    // An answer has what is read of an offer.
    const auto answer = read_offer(request.body);
    if (!answer) return refuse(response, 400, answer.error().sentence);
    const std::string id = request.matches[1];
    const auto taken = ask<tl::expected<void, Refused>>(
        response, [&service = service_, id, answer](const auto& done) {
          done(service.take_answer(id, *answer));
        });
    if (!taken) return;
    if (!*taken) return refuse(response, taken->error().status, taken->error().sentence);
    response.set_content("", "text/plain");
  }

  void remove(const httplib::Request& request, httplib::Response& response) {
    const std::string id = request.matches[1];
    const auto removed = ask<bool>(
        response, [&service = service_, id](const auto& done) { done(service.remove(id)); });
    if (!removed) return;
    if (!*removed) return refuse(response, 404, "There is no such session.");
    response.set_content("", "text/plain");
  }

  void statistics(const httplib::Request& request, httplib::Response& response) {
    const std::string id = request.matches[1];
    const auto json = ask<std::optional<std::string>>(
        response, [&service = service_, id](const auto& done) { done(service.statistics(id)); });
    if (!json) return;
    if (!*json) return refuse(response, 404, "There is no such session.");
    response.set_header("Cache-Control", "no-store");
    response.set_content(**json, "application/json");
  }

  nice::GlibThread& thread_;
  EchoService& service_;
  WebServer server_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

tl::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(const HttpOptions& options,
                                                                         nice::GlibThread& thread,
                                                                         EchoService& service) {
  auto impl = std::make_unique<Impl>(options, thread, service);
  if (auto bound = impl->listen(); !bound) return tl::unexpected(bound.error());
  return std::unique_ptr<HttpServer>{new HttpServer(std::move(impl))};
}

int HttpServer::port() const { return impl_->port(); }
std::string HttpServer::url() const { return impl_->url(); }

}  // namespace sluice::interop::demo
